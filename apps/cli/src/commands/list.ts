import { exitCodes } from "../failure.js";
import type { Registry } from "../registry.js";
import { shorten, type Terminal } from "../terminal.js";

/** Prints the methods by area, one line each. */
export function list(registry: Registry, terminal: Terminal): number {
  if (registry.methods.length === 0) {
    terminal.print("No methods are installed.");
    return exitCodes.success;
  }
  const widest = Math.max(...registry.methods.map(({ name }) => name.length));
  let area: string | undefined;
  for (const method of registry.methods) {
    if (method.area !== area) terminal.print(`${area === undefined ? "" : "\n"}${method.area}`);
    area = method.area;
    const line = `  ${method.name.padEnd(widest)}  ${method.title} (${method.year})`;
    terminal.print(shorten(line, terminal.width));
  }
  return exitCodes.success;
}
