import { type MinimizerStatus, minimizeLbfgs, type RunOptions, type RunState, runOptionNames } from "@offprint/solvers";
import type { StiffSystem } from "@offprint/spectral";
import {
  checkOptions,
  jit,
  requireFinite,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  valueAndGrad,
} from "@offprint/tensor-core";
import { SHIFT } from "./estimate.js";
import { type Forecast, framesOf } from "./forecast.js";
import type { FlowOperator, FlowOperatorParams } from "./operator.js";
import { type RefineRecord, smallUnit } from "./refine.js";
import { objectiveOf, refinementOf } from "./refinement.js";

/** Options of {@link refineOperator}. */
export interface RefineOperatorOptions extends RunOptions<RefineRecord, RunState<unknown, RefineRecord>> {
  /** Time between two frames, > 0. */
  readonly spacing: number;
  /** Weight of the known frame, >= 0. Default 1. */
  readonly initialWeight?: number;
  /** Iterations of L-BFGS at most. Default 200. */
  readonly maxIterations?: number;
  /**
   * Converged when no entry of the gradient is larger, or than this times the squared largest value of the window where that
   * is below 1. Default 1e-8.
   */
  readonly gradientTolerance?: number;
}

/** What {@link refineOperator} gives. */
export interface RefineOperatorResult {
  /** The frames of the forecast, `[frames, n, n]`. */
  readonly frames: Tensor;
  /** The trajectory. */
  readonly forecast: Forecast;
  /** All parameters of the network, in float64. */
  readonly params: FlowOperatorParams;
  /** eta^2 + initialWeight ||u(t_0) - last||^2. */
  readonly objective: number;
  /** How it ended. */
  readonly status: MinimizerStatus;
  /** Iterations done. */
  readonly iterations: number;
  /** The records of all. */
  readonly history: readonly RefineRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<unknown, RefineRecord>;
}

/**
 * The baseline of {@link refine}: all parameters of the network are optimised for one flow, by the same objective, without
 * frequencies that the network does not have. Every iteration goes through the whole network, and the objective is not
 * nearly quadratic.
 * @param window the known frames, `[input frames, n, n]`
 * @throws ValueError, ShapeError; NonFiniteError where the objective is not finite
 */
export async function refineOperator(
  system: StiffSystem,
  operator: FlowOperator,
  params: FlowOperatorParams,
  window: TensorLike,
  frames: number,
  options: RefineOperatorOptions,
): Promise<RefineOperatorResult> {
  requireObject("refineOperator", "system", system, "a StiffSystem");
  requireObject("refineOperator", "operator", operator, "a FlowOperator");
  requireObject("refineOperator", "params", params, "FlowOperatorParams");
  const owner = "refineOperator";
  checkOptions(
    owner,
    options,
    ["spacing", "initialWeight", "maxIterations", "gradientTolerance", ...runOptionNames],
    ["spacing"],
  );
  const { spacing, initialWeight = 1, maxIterations = 200, gradientTolerance = 1e-8, ...run } = options;
  requirePositive(owner, "spacing", spacing);
  requireNonNegative(owner, "initialWeight", initialWeight);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const known = tensor(window, { dtype: "float64" });
  requireFinite(owner, "window", known);
  const wide = tree.map((leaf: Tensor) => tensor(leaf, { dtype: "float64" }), params) as FlowOperatorParams;
  const { modes } = operator.config;
  const settings = {
    ...{ modes, spacing, order: -1, shift: SHIFT, oversample: 1, weights: false, scaled: false },
    timeDerivative: "spectral" as const,
  };
  const refinementAt = (p: FlowOperatorParams) => refinementOf(system, operator.forecast(p, known, frames), settings);
  const objective = jit(
    valueAndGrad((p: FlowOperatorParams) => {
      const { initial, terms } = refinementAt(p);
      return objectiveOf(terms(initial), initialWeight);
    }),
  );
  const result = await minimizeLbfgs(objective, wide, {
    ...{ memory: 20, maxIterations, gradientTolerance: gradientTolerance * smallUnit(known) ** 2 },
    ...(run as object),
  });
  const { x, status, iterations, history, state } = result;
  const { initial, terms, coefficients } = refinementAt(x);
  const forecast = { ...operator.forecast(x, known, frames), coefficients: coefficients(initial) };
  return {
    frames: framesOf(forecast),
    forecast,
    params: x,
    objective: objectiveOf(terms(initial), initialWeight).item(),
    ...{ status, iterations, history },
    state: state as RunState<unknown, RefineRecord>,
  };
}
