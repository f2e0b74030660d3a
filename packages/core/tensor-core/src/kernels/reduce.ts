import type { FloatArray } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsExtremes, jsSum } from "./js/reduce.js";
import { wasmExtreme, wasmSum } from "./wasm/elementwise.js";

/** Fewer elements are reduced before a call into WebAssembly is set up. */
const WASM_FROM = 64;
/** Rows that are added up before their sum joins the total: keeps the rounding error from growing with the length. */
const BLOCK = 64;

/** Sum of x[start .. end), accumulated in float64 in blocks. */
export function sum(x: FloatArray, start = 0, end = x.length): number {
  const runtime = wasmRuntime();
  if (runtime && (end - start >= WASM_FROM || !choosesBySize())) return wasmSum(runtime, x, start, end);
  return jsSum(x, start, end);
}

/**
 * Sums over the middle axis of the contiguous x[outer, n, inner] into out[outer, inner], accumulated in float64; a full
 * sum has outer = inner = 1.
 */
export function sumAxis(x: FloatArray, outer: number, n: number, inner: number, out: FloatArray): void {
  if (inner === 1) {
    for (let o = 0; o < outer; o++) out[o] = sum(x, o * n, (o + 1) * n);
    return;
  }
  const total = new Float64Array(inner);
  const part = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    total.fill(0);
    for (let first = 0; first < n; first += BLOCK) {
      part.fill(0);
      for (let i = first; i < Math.min(first + BLOCK, n); i++) {
        const row = (o * n + i) * inner;
        for (let j = 0; j < inner; j++) part[j]! += x[row + j]!;
      }
      for (let j = 0; j < inner; j++) total[j]! += part[j]!;
    }
    out.set(total, o * inner);
  }
}

/** Sum of x[xStart + i] y[yStart + i] for i < n, accumulated in float64. */
export function dot(n: number, x: FloatArray, xStart: number, y: FloatArray, yStart: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < n; i += 4) {
    s0 += x[xStart + i]! * y[yStart + i]!;
    s1 += x[xStart + i + 1]! * y[yStart + i + 1]!;
    s2 += x[xStart + i + 2]! * y[yStart + i + 2]!;
    s3 += x[xStart + i + 3]! * y[yStart + i + 3]!;
  }
  for (; i < n; i++) s0 += x[xStart + i]! * y[yStart + i]!;
  return s0 + s1 + (s2 + s3);
}

/**
 * `out = A x` of the row-major values of A, one element of `out` for each row. It has loops of its own, in float64 alone:
 * by `dot`, which sees float32 too, it takes 1.3 to 1.4 times as long.
 */
export function rowProducts(values: Float64Array, x: Float64Array, out: Float64Array): void {
  const columns = x.length;
  const whole = columns - (columns % 4);
  for (let i = 0, p = 0; i < out.length; i++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let j = 0;
    for (; j < whole; j += 4, p += 4) {
      s0 += values[p]! * x[j]!;
      s1 += values[p + 1]! * x[j + 1]!;
      s2 += values[p + 2]! * x[j + 2]!;
      s3 += values[p + 3]! * x[j + 3]!;
    }
    for (; j < columns; j++, p++) s0 += values[p]! * x[j]!;
    out[i] = s0 + s1 + (s2 + s3);
  }
}

/** Largest elements over the middle axis of the contiguous x[outer, n, inner], n >= 1; NaN where one is NaN. */
export function maxAxis(x: FloatArray, outer: number, n: number, inner: number, out: FloatArray): void {
  extremeAxis("max", x, outer, n, inner, out);
}

/** Smallest elements over the middle axis of the contiguous x[outer, n, inner], n >= 1; NaN where one is NaN. */
export function minAxis(x: FloatArray, outer: number, n: number, inner: number, out: FloatArray): void {
  extremeAxis("min", x, outer, n, inner, out);
}

function extremeAxis(
  name: "max" | "min",
  x: FloatArray,
  outer: number,
  n: number,
  inner: number,
  out: FloatArray,
): void {
  const runtime = wasmRuntime();
  const wasm = runtime && inner === 1 && (n >= WASM_FROM || !choosesBySize());
  for (let o = 0; o < outer; o++) {
    if (wasm) out[o] = wasmExtreme(runtime, name, x, o * n, (o + 1) * n);
    else jsExtremes(name === "max" ? 1 : -1, x, o * n * inner, n, inner, out, o * inner);
  }
}
