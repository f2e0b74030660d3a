import { type Integral, type MethodName, methods } from "@offprint/ode";
import {
  abs,
  arange,
  div,
  equal,
  isFinite,
  less,
  logicalAnd,
  max,
  maximum,
  mul,
  requireChoice,
  requireObject,
  requirePositive,
  sum,
  type Tensor,
  UnsupportedError,
  where,
} from "@offprint/tensor-core";

/** How the steps of a solve become one number. */
export type Aggregate = "mean" | "sum" | "max";

/** The steps of a solve as `integrate` of `@offprint/ode` gives them, or a replay beside its steps. */
export type SolverSteps = Pick<Integral<unknown>, "errors" | "stiffness" | "stepSizes" | "steps">;

function aggregated(owner: string, values: Tensor, steps: Tensor, aggregate: Aggregate): Tensor {
  requireChoice(owner, "aggregate", aggregate, ["mean", "sum", "max"]);
  const there = less(arange(0, values.size, 1, "int32"), steps);
  // A step whose estimate is not a number contributes nothing, nor does its gradient.
  const kept = where(logicalAnd(there, isFinite(values)), values, 0);
  if (aggregate === "max") return max(kept);
  const total = sum(kept);
  return aggregate === "sum" ? total : div(total, maximum(steps.cast("float64"), 1));
}

/**
 * The error regulariser `R_E = agg_j E_j |h_j|` (eq. 9): the solver's own scaled error estimates, weighed by the sizes of the steps.
 * @param aggregate - default `"mean"`; the paper writes the sum
 * @returns a scalar, differentiable where the solve was made with the discrete adjoint
 */
export function errorRegularizer(steps: SolverSteps, aggregate: Aggregate = "mean"): Tensor {
  requireObject("errorRegularizer", "steps", steps, "SolverSteps");
  return aggregated("errorRegularizer", mul(steps.errors, abs(steps.stepSizes)), steps.steps, aggregate);
}

/**
 * The stiffness regulariser `R_S = agg_j S_j / s` (eq. 10): estimates of the largest eigenvalue, over the size of the method's
 * region of stability.
 * @param stabilitySize - `s`: 3.5068 for Tsit5 (default), 3.3066 for Dopri5, 10.6 for SOSRI2
 * @returns a scalar, as {@link errorRegularizer}
 */
export function stiffnessRegularizer(
  steps: SolverSteps,
  aggregate: Aggregate = "mean",
  stabilitySize = 3.5068,
): Tensor {
  requireObject("stiffnessRegularizer", "steps", steps, "SolverSteps");
  requirePositive("stiffnessRegularizer", "stabilitySize", stabilitySize);
  const scaled = div(steps.stiffness, stabilitySize);
  return aggregated("stiffnessRegularizer", where(equal(scaled, 0), 0, scaled), steps.steps, aggregate);
}

/** Which heuristics of the solver are penalised. */
export type Regularize = "none" | "error" | "stiffness" | "both";

/** Part of the stiffness in the combined regulariser. */
const BOTH = 0.1;

/** @internal The regulariser by its name. @throws UnsupportedError for stiffness of a method without an estimate. */
export function regularizerOf(
  owner: string,
  regularize: Regularize,
  aggregate: Aggregate,
  method: { readonly name: string; readonly estimatesStiffness: boolean; readonly stabilitySize: number },
): ((steps: SolverSteps) => Tensor) | undefined {
  requireChoice(owner, "regularize", regularize, ["none", "error", "stiffness", "both"]);
  requireChoice(owner, "aggregate", aggregate, ["mean", "sum", "max"]);
  if ((regularize === "stiffness" || regularize === "both") && !method.estimatesStiffness) {
    throw new UnsupportedError(
      `${owner}: regularize "${regularize}" needs an estimate of stiffness, which ${method.name} has not; take tsit5, dopri5 or sosri2`,
    );
  }
  const error = (steps: SolverSteps) => errorRegularizer(steps, aggregate);
  const stiffness = (steps: SolverSteps) => stiffnessRegularizer(steps, aggregate, method.stabilitySize);
  if (regularize === "none") return undefined;
  if (regularize === "error") return error;
  if (regularize === "stiffness") return stiffness;
  return (steps) => error(steps).add(mul(stiffness(steps), BOTH));
}

/** @internal The method of a solve by its name. */
export function methodNamed(owner: string, method: MethodName) {
  requireChoice(owner, "method", method, Object.keys(methods));
  return methods[method];
}
