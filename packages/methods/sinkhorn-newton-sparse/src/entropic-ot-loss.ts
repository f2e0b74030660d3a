import {
  ConvergenceError,
  customVjp,
  hostTensor,
  isTensor,
  mean,
  mul,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import type { TransportResult } from "./result.js";
import { type SnsMethodOptions, type SnsOptions, sinkhornNewtonSparse, solveAtOnce } from "./sinkhorn-newton-sparse.js";
import type { TransportProblem } from "./transport-problem.js";

/** With a larger marginal error a plan is none: rounding leaves some 1e-12 at large eta. */
const USABLE = 1e-8;

/** The regularised transport value and its gradient, by the envelope theorem. */
export interface EntropicOtLoss {
  /** min <C, P> + (1/eta) sum p log p, in units of cost. */
  readonly value: number;
  /** `[n, m]` derivative in the cost matrix: the plan. */
  readonly gradCost: Tensor;
  /** `[n]` derivative in r along changes that keep the mass: x less its mean; -Infinity where there is none (`dropZeros`). */
  readonly gradR: Tensor;
  /** `[m]` derivative in c along changes that keep the mass: y less its mean; as `gradR`. */
  readonly gradC: Tensor;
  /** The solution behind it, which is also a start (`initial`) for the next call. */
  readonly result: TransportResult;
}

/**
 * The regularised optimal transport value with exact gradients, to be used as a loss in a loop of one's own;
 * `transportLoss` is the same for `grad`.
 *
 * @throws as `sinkhornNewtonSparse`; ConvergenceError where the plan's marginal error stays above 1e-8 and above
 * `tolerance`
 * @example
 * const { value, gradCost } = await entropicOtLoss({ cost: [[0, 1], [1, 0]] }, { eta: 20 });
 */
export async function entropicOtLoss(problem: TransportProblem, options: SnsOptions): Promise<EntropicOtLoss> {
  return lossOf("entropicOtLoss", await sinkhornNewtonSparse(problem, options), options);
}

function lossOf(owner: string, result: TransportResult, { eta, tolerance = 0 }: SnsMethodOptions): EntropicOtLoss {
  const { plan, x, y, regularisedValue, marginalError } = result;
  if (!(marginalError <= Math.max(USABLE, tolerance)) || result.eta !== eta) {
    throw new ConvergenceError(
      `${owner}: after ${result.iterations} iterations the marginal error is ${marginalError.toExponential(1)} ` +
        `(${result.status}): the value would be wrong; take a smaller eta, or more newtonIterations and maxIterations`,
    );
  }
  return { value: regularisedValue, gradCost: plan, gradR: lessMean(x), gradC: lessMean(y), result };
}

/** Potentials less their mean over the places with mass; those that were left out stay at -Infinity. */
function lessMean(x: Tensor): Tensor {
  return sub(x, mean(tensor(Float64Array.from(x.data()).filter(Number.isFinite))));
}

/**
 * The regularised optimal transport value as a scalar that `grad` differentiates, in the cost matrix and in the masses:
 * compose it with `costMatrix` to move points. Eager only, first derivatives only.
 *
 * @param cost `[n, m]`
 * @param r `[n]` masses; `null` for uniform
 * @param c `[m]` masses; `null` for uniform
 * @throws as `entropicOtLoss`; TraceError inside `jit` or `vmap`
 * @example
 * const pull = grad((points: Tensor) => transportLoss(costMatrix(points, target), null, null, { eta: 50 }));
 */
export function transportLoss(
  cost: TensorLike,
  r: TensorLike | null,
  c: TensorLike | null,
  options: SnsMethodOptions,
): Tensor {
  const solve = (C: Tensor, rows: Tensor, columns: Tensor): [Tensor, Tensor[]] => {
    const problem = { cost: C, r: r === null ? undefined : rows, c: c === null ? undefined : columns };
    const result = solveAtOnce("transportLoss", problem, options);
    const { value, gradCost, gradR, gradC } = lossOf("transportLoss", result, options);
    return [hostTensor(Float64Array.of(value), [], "float64"), [gradCost, gradR, gradC]];
  };
  const loss = customVjp(
    (C: Tensor, rows: Tensor, columns: Tensor) => solve(C, rows, columns)[0],
    solve,
    (gradients: Tensor[], cotangent: Tensor) =>
      gradients.map((gradient, k) => ([cost, r, c][k] === null ? null : mul(gradient, cotangent))),
  );
  const C = float64(cost);
  const none = tensor(new Float64Array(0));
  return loss(C, r === null ? none : float64(r), c === null ? none : float64(c));
}

function float64(x: TensorLike): Tensor {
  return isTensor(x) ? x : tensor(x, Array.isArray(x) ? { dtype: "float64" } : {});
}
