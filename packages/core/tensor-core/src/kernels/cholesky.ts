import { type FloatArray, roundLike } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsCholesky, jsCholeskyInverse } from "./js/cholesky.js";
import { wasmCholesky, wasmCholeskyInverse } from "./wasm/decompositions.js";

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
  const failedPivot = choleskyInPlace(factor, n);
  return { factor: roundLike(a, factor), failedPivot };
}

/** Replaces A[n, n] by its factor and returns what `cholesky` calls `failedPivot`. */
export function choleskyInPlace(a: Float64Array, n: number): number {
  const runtime = runtimeFor(n);
  return runtime ? wasmCholesky(runtime, a, n) : jsCholesky(a, n);
}

/** Replaces the lower Cholesky factor L[n, n] of A, row-major, of which the lower triangle is read, by A^-1. */
export function choleskyInverse(l: Float64Array, n: number): void {
  const runtime = runtimeFor(n);
  if (runtime) wasmCholeskyInverse(runtime, l, n);
  else jsCholeskyInverse(l, n);
}

function runtimeFor(n: number) {
  return n >= WASM_FROM || !choosesBySize() ? wasmRuntime() : undefined;
}
