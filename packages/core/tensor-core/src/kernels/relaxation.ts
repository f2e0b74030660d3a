import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsRelax, jsSparseCg } from "./js/relaxation.js";
import { wasmRelax, wasmSparseCg } from "./wasm/relaxation.js";

/** Calls with fewer rows are over before the matrix is copied. */
const WASM_FROM = 8;

/** A square matrix in compressed rows, with the diagonal apart. */
export interface RelaxationMatrix {
  /** `[n + 1]` positions at which rows begin. */
  readonly indptr: Int32Array;
  /** `[n]` positions of the diagonal entries. */
  readonly at: Int32Array;
  /** Column indices, increasing inside a row. */
  readonly indices: Int32Array;
  /** Values; those on the diagonal are not read. */
  readonly values: Float64Array;
  /** `[n]` diagonal, without a zero. */
  readonly diagonal: Float64Array;
}

function wasmFor(n: number) {
  const runtime = wasmRuntime();
  return runtime && (n >= WASM_FROM || !choosesBySize()) ? runtime : undefined;
}

/**
 * Moves `x` on by at most `limit` sweeps of SOR (or of symmetric SOR, forward then backward) for A x = b, until the norm
 * of b - A x is below max(relative * first norm, absolute) or not finite. Returns the norms, that of the given x first.
 */
export function relax(
  a: RelaxationMatrix,
  b: Float64Array,
  x: Float64Array,
  omega: number,
  symmetric: boolean,
  relative: number,
  absolute: number,
  limit: number,
): Float64Array {
  const runtime = wasmFor(x.length);
  if (runtime) return wasmRelax(runtime, a, b, x, omega, symmetric, relative, absolute, limit);
  return jsRelax(a, b, x, omega, symmetric, relative, absolute, limit);
}

/** Where conjugate gradients stand. */
export interface CgState {
  /** Iterate. */
  readonly x: Float64Array;
  /** Residual; found from `x` at the start. */
  readonly r: Float64Array;
  /** Direction; likewise. */
  readonly p: Float64Array;
  /** r^T M^-1 r; 0 at the start, -1 where A was seen not to be positive definite. */
  rho: number;
}

/**
 * Moves `state` on by at most `limit` iterations of conjugate gradients for a symmetric A, until the norm of the residual
 * is at most `threshold` or not finite. `omega` other than 0 preconditions by symmetric SOR, with the lower or the upper
 * triangle solved first. Returns the norms; the first one is NaN where `state` goes on.
 */
export function sparseCg(
  a: RelaxationMatrix,
  b: Float64Array,
  state: CgState,
  omega: number,
  upperFirst: boolean,
  threshold: number,
  limit: number,
): Float64Array {
  const runtime = wasmFor(b.length);
  if (runtime) return wasmSparseCg(runtime, a, b, state, omega, upperFirst, threshold, limit);
  return jsSparseCg(a, b, state, omega, upperFirst, threshold, limit);
}
