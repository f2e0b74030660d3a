import type { sparse } from "@offprint/tensor-core";
import type { SmoothMemory, SmoothState } from "./smooth-state.js";

/**
 * The smooth part f of a problem: convex, of n variables. Your own needs `n`, `value` and `gradient`; what else it offers
 * decides which rules and updates it can be minimised with. All numbers are float64; arrays that are passed in are only
 * lent, so copy what is to be kept.
 */
export interface BlockObjective {
  /** Number of variables. */
  readonly n: number;
  /** f(x) for x `[n]`. */
  value(x: Float64Array): number;
  /** The gradient `[n]` at x. */
  gradient(x: Float64Array): ArrayLike<number>;
  /** The gradient at the places of `block` alone, `[t]`. Default: taken out of `gradient`. */
  blockGradient?(x: Float64Array, block: Int32Array): ArrayLike<number>;
  /** The Hessian at x in rows and columns of `block`, `[t * t]` row-major: for Newton steps. */
  blockHessian?(x: Float64Array, block: Int32Array): ArrayLike<number>;
  /** H_b, `[t * t]` row-major: at least the block's Hessian at every x (in the order of positive semidefiniteness). */
  blockBound?(block: Int32Array): ArrayLike<number>;
  /** `[n]` L_i, how fast each partial derivative changes along its own coordinate at most. */
  readonly lipschitz?: ArrayLike<number>;
  /** `[n]` sums of absolute values in the rows of the bound of the whole Hessian: for the rule gsl on variable blocks. */
  absoluteRowSums?(): ArrayLike<number>;
  /** `out = H d` for the bound H `[n, n]` of the whole Hessian and d that is zero outside `block`: for gsq on variable blocks. */
  boundTimes?(block: Int32Array, d: Float64Array, out: Float64Array): void;
  /** Whether f is quadratic, so that `blockBound` is its Hessian. Default false. */
  readonly quadratic?: boolean;
  /** The bound of the whole Hessian as a symmetric sparse matrix: its pattern is the graph for forests and colourings. */
  sparseBound?(): sparse.CsrMatrix;
  /** The Hessian at x in the pattern of `sparseBound`: message passing then takes Newton steps. */
  sparseHessian?(x: Float64Array): sparse.CsrMatrix;
  /**
   * Incremental form at the point x (which it takes over): keeps whatever makes the next gradient cheap. Without it every
   * step calls `value` and `gradient`.
   * @param memory what `save` of an earlier state gave at this point, to go on from
   */
  start?(x: Float64Array, memory?: SmoothMemory): SmoothState;
}
