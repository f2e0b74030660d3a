import { type CompiledPhase, compiledPhase, movingAverage, msvr, storm } from "@offprint/bilevel";
import { cast, div, linalg, mul, sub, type Tensor, where } from "@offprint/tensor-core";
import type { BlockBatch, BlockProblem } from "./block-problem.js";

/** The upper variables and the running estimate of the gradient. */
export interface UpperPlace {
  /** x_t, `[dx]` */
  readonly x: Tensor;
  /** x_{t-1} */
  readonly previousX: Tensor;
  /** z, the STORM estimate. */
  readonly z: Tensor;
}

/** Rows of the sampled blocks that both versions need, `[I, d]`. */
export interface LowerRows {
  /** y_i^t */
  readonly y: Tensor;
  /** y_i^{t-1} */
  readonly yBefore: Tensor;
  /** s_i, the estimate of `grad_y g_i`. */
  readonly s: Tensor;
  /** Whether a block has no estimates yet: `[I]`, bool; null where all have. */
  readonly first: Tensor | null;
}

/** With those of version 2, `[I, d]`. */
export interface ProductRows extends LowerRows {
  /** v_i^t, near `H_i^-1 grad_y f_i`. */
  readonly v: Tensor;
  /** v_i^{t-1} */
  readonly vBefore: Tensor;
  /** u_i, the estimate of `H_i v_i - grad_y f_i`. */
  readonly u: Tensor;
}

/** The numbers of an iteration, scalars. */
export interface Weights {
  /** Of new samples in MSVR. */
  readonly alpha: Tensor;
  /** Of changes in MSVR. */
  readonly gamma: Tensor;
  /** Of new samples in STORM. */
  readonly beta: Tensor;
  /** The step of x. */
  readonly stepSize: Tensor;
}

/** What an iteration gives. */
export interface Moved {
  /** x_{t+1} */
  readonly x: Tensor;
  /** The new z. */
  readonly z: Tensor;
  /** Its norm. */
  readonly norm: Tensor;
  /** The new s_i. */
  readonly s: Tensor;
  /** The new u_i of version 2, the new H_i of version 1. */
  readonly tracked: Tensor;
}

/** How the estimates are kept: the paper's way, or with running means in place of MSVR and STORM. */
export type Estimator = "varianceReduced" | "movingAverage";

/** A compiled iteration. */
export type Iteration<U, L, R> = CompiledPhase<
  [place: UpperPlace, rows: R, weights: Weights, upper: BlockBatch<U>, lower: BlockBatch<L>],
  Moved
>;

/** BSVRB-v2: G with the tracked solutions v_i of `H_i v = grad_y f_i`, by products with H_i alone. */
export function productIteration<X, U, L>(
  problem: BlockProblem<X, U, L>,
  estimator: Estimator,
): Iteration<U, L, ProductRows> {
  return compiledPhase(problem, `bsvrb: v2, ${estimator}`, (d, place, rows: ProductRows, weights, upper, lower) => {
    const { rule, ofX } = rules(estimator, rows.first, weights);
    const parts = (x: Tensor, y: Tensor, v: Tensor) => {
      const [above, products] = [d.gradsF(x, y, upper), d.productsG(x, y, v, lower)];
      return { g: div(sub(above.x, products.x), y.shape[0]), slope: sub(products.y, above.y) };
    };
    const now = parts(place.x, rows.y, rows.v);
    const before = once(() => parts(place.previousX, rows.yBefore, rows.vBefore));
    return {
      ...ofX(place, now.g, () => before().g),
      s: rule(rows.s, d.gradYG(place.x, rows.y, lower), () => d.gradYG(place.previousX, rows.yBefore, lower)),
      tracked: rule(rows.u, now.slope, () => before().slope),
    };
  });
}

/**
 * How estimates are kept. What belongs to the iteration before is asked for where it is used: running means need none of it.
 */
export function rules(estimator: Estimator, first: Tensor | null, { alpha, beta, gamma, stepSize }: Weights) {
  const reduced = estimator === "varianceReduced";
  return {
    /** Of the sampled blocks, `[I, ...]`. */
    rule(estimate: Tensor, now: Tensor, before: () => Tensor): Tensor {
      const next = reduced ? msvr(estimate, now, before(), alpha, gamma) : movingAverage(estimate, now, sub(1, alpha));
      if (first === null) return cast(next, now.dtype);
      return cast(where(first.reshape([-1, ...now.shape.slice(1).map(() => 1)]), now, next), now.dtype);
    },
    /** Of the gradient in x, and the step along it. */
    ofX({ x, z }: UpperPlace, g: Tensor, old: () => Tensor): Pick<Moved, "x" | "z" | "norm"> {
      const next = reduced ? storm(z, g, old(), beta) : movingAverage(z, g, sub(1, beta));
      return {
        x: cast(sub(x, mul(stepSize, next)), x.dtype),
        z: cast(next, x.dtype),
        norm: linalg.norm(next),
      };
    },
  };
}

/** The value of `make`, made when it is asked for first. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
