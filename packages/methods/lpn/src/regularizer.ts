import { adam, minimize } from "@offprint/optim";
import {
  levenbergMarquardt,
  type MinimizerOptions,
  type MinimizerResult,
  minimizeLbfgs,
  nonlinearConjugateGradients,
  type Status,
} from "@offprint/solvers";
import {
  cast,
  checkOptions,
  hostBackend,
  jit,
  jitSync,
  lessEqual,
  mul,
  requireChoice,
  requireFinite,
  requireInteger,
  requireObject,
  requirePositive,
  reshape,
  ShapeError,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tree,
  valueAndGrad,
  where,
  zerosLike,
} from "@offprint/tensor-core";
import { batchOf, sizeOf } from "./batch.js";
import type { Lpn, LpnParams } from "./network.js";

/**
 * How `y = f^-1(x)` is found: as the minimum of the convex `psi(y) - <x, y>` by L-BFGS, by the paper's conjugate gradients of
 * Polak and Ribiere, or by Adam from 0; or as the least squares of `f(y) - x`, by Levenberg and Marquardt (small inputs: it
 * forms Jacobians) or by Adam from 0.
 */
export type Inverter = "lbfgs" | "conjugateGradients" | "adam" | "leastSquares" | "adamLeastSquares";

/** Options of {@link regularizer}. */
export interface RegularizerOptions {
  /** Default `"lbfgs"`. */
  readonly inverter?: Inverter;
  /** Largest residual `|f(y) - x|` of a sample with which its value counts, > 0. Default 1e-6. */
  readonly tolerance?: number;
  /** Iterations at most. Default 2000; 1000 for `adamLeastSquares`. */
  readonly maxIterations?: number;
  /** Ends the search with status `"aborted"`. */
  readonly signal?: AbortSignal;
}

/** What {@link regularizer} gives. */
export interface Regularized {
  /** `phi(x)`, `[batch]` in float64, up to one constant of the network; NaN where `residual` is above the tolerance. */
  readonly value: Tensor;
  /** `y` with `f(y) = x`, `[batch, ...shape]`. */
  readonly preimage: Tensor;
  /** `|f(y) - x|`, `[batch]`. */
  readonly residual: Tensor;
  /** Whether all residuals are within the tolerance; `inaccurate` where the search came to rest without. */
  readonly status: Status | "inaccurate";
  /** Iterations done, for all samples together. */
  readonly iterations: number;
}

/**
 * `phi(f(y)) = <y, f(y)> - |f(y)|^2 / 2 - psi(y)` of points whose pre-image is known: `[batch]`. In operations of
 * tensors.
 * @param y `[batch, ...shape]`
 * @param x `f(y)`
 * @param psi `psi(y)`, `[batch]`
 */
export function regularizerAt(y: Tensor, x: Tensor, psi: Tensor): Tensor {
  requireObject("regularizerAt", "y", y, "a tensor");
  requireObject("regularizerAt", "x", x, "a tensor");
  requireObject("regularizerAt", "psi", psi, "a tensor");
  if (String(y.shape) !== String(x.shape) || String(psi.shape) !== String(x.shape.slice(0, 1))) {
    throw new ShapeError(
      `regularizerAt: y is [${y.shape}], x [${x.shape}] and psi [${psi.shape}]; give [n, ...shape], the same, and [n]`,
    );
  }
  const axes = x.shape.slice(1).map((_, i) => i + 1);
  return sub(sum(mul(sub(y, mul(x, 0.5)), x), axes), psi);
}

/**
 * `phi(x)` of the function whose proximal operator the network is, up to a constant, at any points: `f` is inverted first
 *. Computed in float64. Points outside of the range of `f`, or too far for `maxIterations`, have a large
 * residual and no value.
 * @param x `[batch, ...shape]`
 * @throws ValueError, ShapeError
 * @example const { value } = await regularizer(model, params, images);
 */
export async function regularizer(
  model: Lpn,
  params: LpnParams,
  x: TensorLike,
  options: RegularizerOptions = {},
): Promise<Regularized> {
  requireObject("regularizer", "model", model, "a Lpn");
  requireObject("regularizer", "params", params, "LpnParams");
  const owner = "regularizer";
  checkOptions(owner, options, ["inverter", "tolerance", "maxIterations", "signal"]);
  const { inverter = "lbfgs", tolerance = 1e-6, signal } = options;
  const { maxIterations = inverter === "adamLeastSquares" ? 1000 : 2000 } = options;
  requireChoice(owner, "inverter", inverter, Object.keys(inverters));
  requirePositive(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  model.assertConvex(params);
  const goal = cast(batchOf(owner, model.shape, x), "float64");
  requireFinite(owner, "x", goal);
  if (goal.shape[0] === 0) throw new ShapeError(`${owner}: x has shape [${goal.shape}]; give at least one point`);
  const exact = tree.map((p: Tensor) => cast(p, "float64"), params);
  const search: Search = { model, params: exact, goal, tolerance, maxIterations, ...(signal && { signal }) };
  const { y, status, iterations } = await inverters[inverter](search);
  const judge = jitSync((at: Tensor, p: LpnParams, wanted: Tensor) => {
    const reached = model.prox(p, at);
    const axes = model.shape.map((_, i) => i + 1);
    const residual = sqrt(sum(square(sub(reached, wanted)), axes));
    const value = regularizerAt(at, wanted, model.potential(p, at));
    return { residual, value: where(lessEqual(residual, tolerance), value, Number.NaN) };
  });
  const { residual, value } = judge(y, exact, goal);
  judge.release();
  const reached = residual.data().every((r) => r <= tolerance);
  return {
    value,
    preimage: y,
    residual,
    status: reached ? "converged" : status === "converged" ? "inaccurate" : status,
    iterations,
  };
}

interface Search {
  readonly model: Lpn;
  readonly params: LpnParams;
  readonly goal: Tensor;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly signal?: AbortSignal;
}

interface Found {
  readonly y: Tensor;
  readonly status: Status | "inaccurate";
  readonly iterations: number;
}

/** `psi(y) - <x, y>` of all samples together: they do not meet, so that its minimum is that of each. */
function convexObjective({ model, params, goal }: Search) {
  return (y: Tensor) => sub(sum(model.potential(params, y)), sum(mul(y, goal)));
}

type Objective = (y: Tensor) => Promise<readonly [Tensor, Tensor]>;

type Minimizer = (objective: Objective, initial: Tensor, options: MinimizerOptions) => Promise<MinimizerResult<Tensor>>;

/** Entries of the gradient are those of `f(y) - x`: a tenth of the tolerance leaves room for the norm of many. */
async function descend(search: Search, minimizer: Minimizer): Promise<Found> {
  const { goal, tolerance, maxIterations, signal } = search;
  const objective = jit(valueAndGrad(convexObjective(search)));
  const gradientTolerance = tolerance / (10 * Math.sqrt(sizeOf(search.model.shape)));
  const { x, status, iterations } = await minimizer(objective, goal, {
    gradientTolerance,
    maxIterations,
    ...(signal && { signal }),
  });
  await objective.release();
  return { y: x, status, iterations };
}

async function descendByAdam(search: Search, objective: (y: Tensor) => Tensor): Promise<Found> {
  const { goal, maxIterations, signal } = search;
  const { params, status, steps } = await minimize(
    (y: Tensor) => objective(y),
    zerosLike(goal),
    adam({ learningRate: 0.01 }),
    {
      steps: maxIterations,
      backend: hostBackend,
      ...(signal && { signal }),
    },
  );
  return { y: params, status, iterations: steps };
}

const inverters: Record<Inverter, (search: Search) => Promise<Found>> = {
  lbfgs: (search) => descend(search, (f, initial, options) => minimizeLbfgs(f, initial, options)),
  conjugateGradients: (search) =>
    descend(search, (f, initial, options) =>
      nonlinearConjugateGradients(f, initial, { ...options, formula: "polak-ribiere" }),
    ),
  adam: (search) => descendByAdam(search, convexObjective(search)),
  adamLeastSquares: (search) =>
    descendByAdam(search, (y) => sum(square(sub(search.model.prox(search.params, y), search.goal)))),
  async leastSquares({ model, params, goal, tolerance, maxIterations, signal }) {
    const shape = [goal.shape[0], sizeOf(model.shape)];
    const wanted = reshape(goal, shape);
    const residuals = (y: Tensor) => sub(reshape(model.prox(params, reshape(y, goal.shape)), shape), wanted);
    const { x, status, iterations } = await levenbergMarquardt(residuals, wanted, {
      gradientTolerance: tolerance ** 2,
      maxIterations,
      compile: true,
      ...(signal && { signal }),
    });
    return { y: reshape(x, goal.shape), status, iterations };
  },
};
