import type { Rng, Tensor } from "@offprint/tensor-core";

/** The data of an upper and of a lower function. */
export interface Batches<U, L> {
  /** What `upper` gets. */
  readonly upper: U;
  /** What `lower` gets. */
  readonly lower: L;
}

/** How batches are drawn. */
export interface BatchSampler<U, L> {
  /** A random batch for `upper`. */
  upper(rng: Rng): U;
  /** A random batch for `lower`. */
  lower(rng: Rng): L;
}

/** A finite sum in parts, such as mini-batches in a fixed division: what a table of gradients is kept of. */
export interface FiniteSum<B> {
  /** Number of parts, of equal weight. */
  readonly count: number;
  /** The batch of a part, 0 to count - 1. */
  batch(part: number): B;
}

/** The nearest points of the sets that x and y lie in. */
export interface VariableProjections<X, Y> {
  /** Projects x; traced. Default the whole space. */
  readonly x?: (x: X) => X;
  /** Projects y; traced. Default the whole space. */
  readonly y?: (y: Y) => Y;
}

/**
 * Minimise `upper(x, y*(x))` over x, where `y*(x)` minimises the strongly convex `lower(x, .)`. Both are traced functions of
 * trees of tensors and a batch of data, a tree of tensors too; of batches that are drawn they are unbiased estimates.
 * @typeParam X - a tree of the upper variables
 * @typeParam Y - a tree of the lower variables
 * @typeParam U - batches of the upper function; null for none
 * @typeParam L - batches of the lower function; null for none
 */
export interface BilevelProblem<X = Tensor, Y = Tensor, U = null, L = U> {
  /** Where x and y begin. Plain numbers and arrays are float64. */
  readonly initial: { readonly x: X; readonly y: Y };
  /** The upper function F, a scalar. */
  upper(x: X, y: Y, batch: U): Tensor;
  /** The lower function G, a scalar. */
  lower(x: X, y: Y, batch: L): Tensor;
  /** Draws batches; without it every step sees `full`. */
  readonly sample?: BatchSampler<U, L>;
  /** The batches of all data, which exact computations see. Default null for both. */
  readonly full?: Batches<U, L>;
  /** The same data as sums of parts, for methods that keep tables. */
  readonly parts?: { readonly upper: FiniteSum<U>; readonly lower: FiniteSum<L> };
  /** Sets that x and y are kept in. */
  readonly project?: VariableProjections<X, Y>;
}

/** A problem whose lower level has constraints that couple x and y. */
export interface ConstrainedBilevelProblem<X = Tensor, Y = Tensor, U = null, L = U> extends BilevelProblem<X, Y, U, L> {
  /** `[l]`, convex in (x, y); feasible where it is at most 0, or 0 for the constraints that are equations. */
  constraints(x: X, y: Y): Tensor;
  /** Whether the constraints are equations, all or each. Default false. */
  readonly equality?: boolean | readonly boolean[];
  /** The nearest pair that satisfies constraints and sets; traced. */
  readonly projectJointly: (x: X, y: Y) => { readonly x: X; readonly y: Y };
}

/** A problem with many lower functions: minimise the mean over blocks of `upper_i(x, y_i*(x))`. */
export interface MultiBlockBilevelProblem<X = Tensor, U = null, L = U> {
  /** Number of blocks, m. */
  readonly blocks: number;
  /** Where x and the lower variables, `[m, d]`, begin. */
  readonly initial: { readonly x: X; readonly y: Tensor };
  /** The upper functions of some blocks: rows `y` `[count, d]`, numbers `blocks` `[count]` (int32), losses `[count]`. */
  upper(x: X, y: Tensor, blocks: Tensor, batch: U): Tensor;
  /** The lower functions of some blocks, likewise; a block's loss depends on its own row alone. */
  lower(x: X, y: Tensor, blocks: Tensor, batch: L): Tensor;
  /** Second derivatives of `lower` in the rows, `[count, d, d]`, for methods that track them. Default d products with unit vectors. */
  lowerHessian?(x: X, y: Tensor, blocks: Tensor, batch: L): Tensor;
  /** Draws data for some blocks; without it every step sees `full`. */
  sample?(rng: Rng, blocks: Tensor): Batches<U, L>;
  /** All data of some blocks. Default null for both. */
  full?(blocks: Tensor): Batches<U, L>;
}
