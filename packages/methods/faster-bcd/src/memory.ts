import { ValueError } from "@offprint/tensor-core";
import type { SmoothMemory } from "./smooth-state.js";

/** @internal A number that a state kept. @throws ValueError where the memory is that of another problem. */
export function keptNumber(memory: SmoothMemory, name: string): number {
  const value = memory[name];
  return typeof value === "number" && Number.isFinite(value) ? value : unfit(name, "a finite number");
}

/** @internal A copy of an array `[length]` that a state kept. @throws ValueError like {@link keptNumber}. */
export function keptVector(memory: SmoothMemory, name: string, length: number): Float64Array {
  const value = memory[name];
  return value instanceof Float64Array && value.length === length ? value.slice() : unfit(name, `${length} numbers`);
}

/** @internal The same where there may be none. */
export function keptVectorOrNone(memory: SmoothMemory, name: string, length: number): Float64Array | undefined {
  return memory[name] === null ? undefined : keptVector(memory, name, length);
}

function unfit(name: string, wanted: string): never {
  throw new ValueError(
    `bcd: resume does not hold ${wanted} as \`${name}\`; give the \`state\` of a run on the same problem`,
  );
}
