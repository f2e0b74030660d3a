import type { FloatArray } from "../arrays.js";
import type { BinaryName } from "../binary.js";
import type { MapName } from "../map.js";
import type { WasmRuntime } from "./runtime.js";
import { copy } from "./transfer.js";

/** The number that assembly/map.ts gives each map. */
const numbers: Record<MapName, number> = {
  exp: 0,
  expm1: 1,
  log: 2,
  log1p: 3,
  tanh: 4,
  sigmoid: 5,
  sin: 6,
  cos: 7,
  sqrt: 8,
};

/** Kernels work on whole 32 bytes: what lies behind the last element must be harmless to every map. */
function pad(chunk: FloatArray, count: number): void {
  const end = Math.min(chunk.length, count + 8);
  for (let i = count; i < end; i++) chunk[i] = 1;
}

/** Elements whose sine or cosine the kernel leaves undone are found with the platform's functions. */
function patch(
  f: (x: number) => number,
  limit: number,
  x: FloatArray,
  start: number,
  y: FloatArray,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const value = x[start + i]!;
    if (!(Math.abs(value) <= limit)) y[i] = f(value);
  }
}

/** out[i] = f(x[i]); `out` may be `x`. */
export function wasmMap(runtime: WasmRuntime, name: MapName, x: FloatArray, out: FloatArray): void {
  const { operations, first, firstPointer, size } = runtime.lane(x);
  const kernel = operations[name];
  for (let start = 0; start < x.length; start += size) {
    const count = Math.min(size, x.length - start);
    copy(x, start, first, 0, count);
    pad(first, count);
    if (kernel(firstPointer, count) !== 0) {
      if (name === "sin" || name === "cos") {
        patch(Math[name], x instanceof Float32Array ? 4096 : 1048576, x, start, first, count);
      } else {
        copy(x, start, first, 0, count);
        operations.mapAny(numbers[name], firstPointer, count);
      }
    }
    copy(first, 0, out, start, count);
  }
}

/** out[i] = a[i] op b[i], or a[i] op b for a number b; `out` may be `a` or `b`. */
export function wasmBinary(
  runtime: WasmRuntime,
  name: BinaryName,
  a: FloatArray | number,
  b: FloatArray | number,
  out: FloatArray,
): void {
  const { operations, first, second, firstPointer, secondPointer, size } = runtime.lane(out);
  const kernel = operations[name];
  if (typeof b === "number") second.fill(b, 0, out.length);
  for (let start = 0; start < out.length; start += size) {
    const count = Math.min(size, out.length - start);
    if (typeof a === "number") first.fill(a, 0, count);
    else copy(a, start, first, 0, count);
    if (typeof b !== "number") copy(b, start, second, 0, count);
    kernel(firstPointer, secondPointer, count);
    copy(first, 0, out, start, count);
  }
}

/** Sum of x[start .. end), in float64; one partial sum for each chunk. */
export function wasmSum(runtime: WasmRuntime, x: FloatArray, start: number, end: number): number {
  const { operations, first, firstPointer, size } = runtime.lane(x);
  let sum = 0;
  for (let at = start; at < end; at += size) {
    const count = Math.min(size, end - at);
    copy(x, at, first, 0, count);
    sum += operations.sum(firstPointer, count);
  }
  return sum;
}

/** Largest or smallest element of x[start .. end), which is not empty; NaN where one is NaN. */
export function wasmExtreme(
  runtime: WasmRuntime,
  name: "max" | "min",
  x: FloatArray,
  start: number,
  end: number,
): number {
  const { operations, first, firstPointer, size } = runtime.lane(x);
  let best = x[start]!;
  for (let at = start; at < end; at += size) {
    const count = Math.min(size, end - at);
    copy(x, at, first, 0, count);
    best = Math[name](best, operations[name](firstPointer, count));
  }
  return best;
}
