import { type FloatArray, roundLike } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsCholesky } from "./js/cholesky.js";
import { wasmCholesky } from "./wasm/decompositions.js";

const WASM_FROM = 16;

/** A Cholesky factor. */
export interface CholeskyResult<A extends FloatArray> {
  /** Lower triangular L[n, n], row-major; meaningless where a pivot failed. */
  readonly factor: A;
  /** -1, or the index of the first pivot that is not positive and finite. */
  readonly failedPivot: number;
}

/** L with L L^T = A for the row-major symmetric A[n, n], of which the lower triangle is read; computed in float64. */
export function cholesky<A extends FloatArray>(a: A, n: number): CholeskyResult<A> {
  const factor = new Float64Array(a);
  const runtime = wasmRuntime();
  const wasm = runtime && (n >= WASM_FROM || !choosesBySize());
  const failedPivot = wasm ? wasmCholesky(runtime, factor, n) : jsCholesky(factor, n);
  return { factor: roundLike(a, factor), failedPivot };
}
