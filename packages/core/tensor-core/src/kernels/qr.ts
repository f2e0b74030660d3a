import { type FloatArray, roundLike } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsQr } from "./js/qr.js";
import { fromUnit, unitScale } from "./scaling.js";
import { wasmQr } from "./wasm/decompositions.js";

const WASM_FROM = 16;

/** A = Q R with k = min(rows, columns). */
export interface QrResult<A extends FloatArray> {
  /** [rows, k], orthonormal columns. */
  readonly q: A;
  /** [k, columns], upper triangular (trapezoidal); the diagonal may be negative. */
  readonly r: A;
}

/** Reduced QR of the row-major A[rows, columns] by Householder reflections; computed in float64. */
export function qr<A extends FloatArray>(a: A, rows: number, columns: number): QrResult<A> {
  const { q, r } = qr64(new Float64Array(a), rows, columns);
  return { q: roundLike(a, q), r: roundLike(a, r) };
}

/** `qr` of a float64 matrix that is overwritten. */
export function qr64(a: Float64Array, rows: number, columns: number): QrResult<Float64Array> {
  const k = Math.min(rows, columns);
  const q = new Float64Array(rows * k);
  const scale = unitScale(a);
  const runtime = wasmRuntime();
  if (runtime && (rows * columns >= WASM_FROM || !choosesBySize())) wasmQr(runtime, a, rows, columns, q);
  else jsQr(a, rows, columns, q);
  const r = a.slice(0, k * columns);
  for (let i = 1; i < k; i++) r.fill(0, i * columns, i * columns + i);
  fromUnit(r, scale);
  return { q, r };
}
