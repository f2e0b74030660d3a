import {
  type CompiledPhase,
  compiledPhase,
  type Derivatives,
  movingAverage,
  msvr,
  type OracleCounts,
  storm,
} from "@offprint/bilevel";
import {
  broadcastTo,
  cast,
  div,
  eye,
  mul,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
  vmap,
  where,
} from "@offprint/tensor-core";
import type { BlockBatch, BlockProblem } from "./block-problem.js";
import { nearestPositiveDefinite, solveRows } from "./positive-definite.js";

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

/** With those of version 1: Hessians `[I, d, d]`. */
export interface HessianRows extends LowerRows {
  /** H_i^t */
  readonly h: Tensor;
  /** H_i^{t-1} */
  readonly hBefore: Tensor;
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
  /** lambda, the least eigenvalue of tracked Hessians. */
  readonly least: Tensor;
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

type Rows = Derivatives<Tensor, Tensor, BlockBatch<unknown>, BlockBatch<unknown>>;
/** A compiled iteration. */
export type Iteration<U, L, R> = CompiledPhase<
  [place: UpperPlace, rows: R, weights: Weights, upper: BlockBatch<U>, lower: BlockBatch<L>],
  Moved
>;

/** BSVRB-v1: G with the tracked Hessians, `grad_x f_i - J_i H_i^-1 grad_y f_i`. */
export function hessianIteration<X, U, L>(
  problem: BlockProblem<X, U, L>,
  estimator: Estimator,
): Iteration<U, L, HessianRows> {
  return compiledPhase(problem, `bsvrb: v1, ${estimator}`, (d, place, rows: HessianRows, weights, upper, lower) => {
    const { rule, ofX } = rules(estimator, rows.first, weights);
    const hessian = blockHessians(d, place.x, rows.y, lower);
    const { first } = rows;
    const next = rule(rows.h, hessian, () => blockHessians(d, place.previousX, rows.yBefore, lower));
    const tracked = nearestPositiveDefinite(next, weights.least);
    // Of a block that is met first, the projected Hessian of now: its eigenvalues are found once, for both uses.
    const known = (h: Tensor) => (first === null ? h : where(first.reshape([-1, 1, 1]), tracked, h));
    const direction = (x: Tensor, y: Tensor, h: Tensor) => {
      const above = d.gradsF(x, y, upper);
      const mixed = d.mixedXY(x, y, solveRows(known(h), above.y), lower);
      return div(sub(above.x, mixed), y.shape[0]);
    };
    return {
      ...ofX(place, direction(place.x, rows.y, rows.h), () => direction(place.previousX, rows.yBefore, rows.hBefore)),
      s: rule(rows.s, d.gradYG(place.x, rows.y, lower), () => d.gradYG(place.previousX, rows.yBefore, lower)),
      tracked: cast(tracked, rows.y.dtype),
    };
  });
}

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

/** The estimates of some blocks by one batch, with v = 0: `grad_y g_i`, and `-grad_y f_i` or the projected Hessians. */
export function firstEstimates<X, U, L>(problem: BlockProblem<X, U, L>, version: "v1" | "v2") {
  return compiledPhase(
    problem,
    `bsvrb: first estimates of ${version}`,
    (d, x: Tensor, y: Tensor, least: Tensor, upper: BlockBatch<U>, lower: BlockBatch<L>) => ({
      s: d.gradYG(x, y, lower),
      tracked:
        version === "v1"
          ? cast(nearestPositiveDefinite(blockHessians(d, x, y, lower), least), y.dtype)
          : mul(d.gradYF(x, y, upper), -1),
    }),
  );
}

/** The derivatives of an iteration over `blocks` blocks; a Hessian is d products. */
export function costOf(cost: OracleCounts, version: "v1" | "v2", width: number): OracleCounts {
  return version === "v1" ? { ...cost, hvpYY: cost.hvpYY * width } : cost;
}

/** The second derivatives in y of each block, `[count, d, d]`: a product with every unit vector, for all blocks at once. */
export function blockHessians(d: Pick<Rows, "hvpYY">, x: Tensor, y: Tensor, batch: BlockBatch<unknown>): Tensor {
  const columns = vmap((unit: Tensor) => d.hvpYY(x, y, broadcastTo(unit, y.shape), batch))(
    eye(y.shape[1], y.shape[1], y.dtype),
  );
  return transpose(columns, [1, 2, 0]);
}

/**
 * How estimates are kept. What belongs to the iteration before is asked for where it is used: running means need none of it.
 */
function rules(estimator: Estimator, first: Tensor | null, { alpha, beta, gamma, stepSize }: Weights) {
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
        norm: sqrt(sum(square(next))),
      };
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
