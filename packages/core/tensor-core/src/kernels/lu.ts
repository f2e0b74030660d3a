import { type FloatArray, roundLike } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsLu } from "./js/lu.js";
import { wasmLu } from "./wasm/decompositions.js";

const WASM_FROM = 64;

/** P A = L U. */
export interface LuResult<A extends FloatArray> {
  /** Row-major [rows, columns]: U on and above the diagonal, L (unit diagonal not stored) below. */
  readonly factors: A;
  /** Row i of P A is row `order[i]` of A. */
  readonly order: Int32Array;
  /** Determinant of P: 1 or -1. */
  readonly sign: 1 | -1;
  /** -1, or the index of the first zero or NaN on the diagonal of U. */
  readonly singularAt: number;
}

/** LU factors with partial pivoting of the row-major A[rows, columns]; computed in float64. */
export function lu<A extends FloatArray>(a: A, rows: number, columns: number): LuResult<A> {
  const factors = new Float64Array(a);
  const order = new Int32Array(rows);
  const runtime = wasmRuntime();
  const wasm = runtime && (rows * columns >= WASM_FROM || !choosesBySize());
  const exchanges = wasm ? wasmLu(runtime, factors, rows, columns, order) : jsLu(factors, rows, columns, order);
  let singularAt = -1;
  for (let k = Math.min(rows, columns) - 1; k >= 0; k--) {
    const pivot = factors[k * columns + k]!;
    if (pivot === 0 || Number.isNaN(pivot)) singularAt = k;
  }
  return { factors: roundLike(a, factors), order, sign: exchanges % 2 === 0 ? 1 : -1, singularAt };
}
