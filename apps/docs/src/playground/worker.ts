// Runs programs apart from the page, so that a long one neither blocks it nor has to be asked to stop.

import { packages } from "virtual:packages";
import { plot, type Series } from "@offprint/claims";
import { lineOf, linkProgram } from "./link-program.js";
import type { RunRequest, WorkerMessage } from "./messages.js";
import { showValue, tableOf } from "./show-value.js";

function tell(message: WorkerMessage): void {
  (globalThis as unknown as { postMessage(message: WorkerMessage): void }).postMessage(message);
}

function write(level: "log" | "warn" | "error"): (...values: unknown[]) => void {
  return (...values) => tell({ kind: "text", level, text: values.map(showValue).join(" ") });
}

function isSeries(value: unknown): value is Series {
  return typeof value === "object" && value !== null && typeof (value as { kind?: unknown }).kind === "string";
}

/** The playground's one addition to the language: shows a series as a plot, several as one with a slider, an SVG as an image, all else as text. */
function display(value: unknown, key?: string): void {
  if (isSeries(value)) tell({ kind: "plot", svg: plot(value, { styles: "page" }), key });
  else if (Array.isArray(value) && value.length > 0 && value.every(isSeries)) {
    tell({ kind: "frames", svgs: value.map((frame) => plot(frame, { styles: "page" })), key });
  } else if (typeof value === "string" && value.startsWith("<svg")) tell({ kind: "image", svg: value, key });
  else tell({ kind: "text", level: "log", text: showValue(value) });
}

Object.assign(console, { log: write("log"), info: write("log"), warn: write("warn"), error: write("error") });
console.table = (data: unknown) => {
  const table = tableOf(data);
  if (table) tell({ kind: "table", ...table });
  else write("log")(data);
};
Object.assign(globalThis, { display });

async function load(specifier: string): Promise<Record<string, unknown>> {
  const found = packages[specifier];
  if (found) return found();
  const names = Object.keys(packages).join(", ");
  throw new Error(`"${specifier}" cannot be imported here. The playground has ${names}.`);
}

async function run(request: RunRequest): Promise<void> {
  let program = "";
  const start = performance.now();
  try {
    program = await linkProgram(request.code, load);
    await import(program);
    tell({ kind: "finished", seconds: (performance.now() - start) / 1000 });
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    tell({ kind: "failed", message, line: lineOf(error, program) });
  } finally {
    if (program) URL.revokeObjectURL(program);
  }
}

addEventListener("message", ({ data }: MessageEvent<RunRequest>) => {
  void run(data);
});
tell({ kind: "ready" });
