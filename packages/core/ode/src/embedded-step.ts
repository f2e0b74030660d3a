import { asVariables, raveling } from "@offprint/solvers";
import {
  abs,
  cast,
  checkOptions,
  isTensor,
  requirePositive,
  sign,
  stopGradient,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { errorOf } from "./advance.js";
import { firstStep } from "./initial-step.js";
import type { MethodName } from "./methods/index.js";
import type { Method } from "./methods/method.js";
import type { Tableau } from "./methods/tableau.js";
import { methodOf, tolerancesOf } from "./options.js";
import type { TensorRate } from "./solve.js";
import { treeSystem } from "./system.js";

/** Options of {@link embeddedStep}. */
export interface EmbeddedStepOptions<P = unknown> {
  /** The method (default `"tsit5"`). */
  readonly method?: MethodName | Tableau | Method;
  /** As in `integrate` (default 1e-6). */
  readonly relativeTolerance?: number;
  /** As in `integrate` (default 1e-9). */
  readonly absoluteTolerance?: number;
  /** Handed to the right-hand side. */
  readonly parameters?: P;
  /** Whether the first stage is a constant to gradients (default false). */
  readonly firstStageConstant?: boolean;
}

/** One step, with the estimates that solvers steer by. */
export interface EmbeddedStep<Y> {
  /** The state at its end. */
  readonly y: Y;
  /** The error estimate relative to the tolerances, a scalar. */
  readonly error: Tensor;
  /** The estimate of the largest eigenvalue of the Jacobian, a scalar; 0 for methods without one. */
  readonly stiffness: Tensor;
}

const names = ["method", "relativeTolerance", "absoluteTolerance", "parameters", "firstStageConstant"];

const asTime = (t: TensorLike) => (isTensor(t) ? cast(t, "float64") : tensor(t, { dtype: "float64" }));

/** A state as solves read it, plain numbers as float64, and constant to gradients: for steps whose beginning must not be differentiated. */
export function constantState<Y>(y: Y): Y {
  return tree.map(stopGradient, asVariables(y)) as Y;
}

function parts<Y, P>(owner: string, f: TensorRate<Y, P>, y: Y, options: EmbeddedStepOptions<P>) {
  checkOptions(owner, options, names);
  const { relativeTolerance = 1e-6, absoluteTolerance = 1e-9, parameters } = options;
  requirePositive(owner, "relativeTolerance", relativeTolerance);
  requirePositive(owner, "absoluteTolerance", absoluteTolerance);
  const example = asVariables(y) as Y;
  const state = raveling(owner, example);
  const system = treeSystem(owner, f, parameters as P, state, undefined);
  const tolerances = tolerancesOf(owner, { relativeTolerance, absoluteTolerance }, state);
  return {
    state,
    system,
    tolerances,
    method: methodOf(owner, options.method ?? "tsit5"),
    vector: state.ravel(example),
  };
}

/**
 * One step of a method from `y` at `t`, of size `h` (negative backwards), as an operation of tensors with gradients by the
 * state, the size and the parameters: for regularisers that look at single steps.
 * @throws ValueError for options out of range.
 */
export function embeddedStep<Y, P = unknown>(
  f: TensorRate<Y, P>,
  t: TensorLike,
  y: Y,
  h: TensorLike,
  options: EmbeddedStepOptions<P> = {},
): EmbeddedStep<Y> {
  const { state, system, tolerances, method, vector } = parts("embeddedStep", f, y, options);
  const [time, size] = [asTime(t), asTime(h)];
  const rate = system.rate(time, vector);
  const step = method.step(system, time, vector, size, options.firstStageConstant ? stopGradient(rate) : rate);
  return {
    y: state.unravel(step.next),
    error: errorOf({ system, tolerances }, vector, step),
    stiffness: step.stiffness === undefined ? tensor(0, { dtype: "float64" }) : cast(step.stiffness, "float64"),
  };
}

/** The size, with sign, of a first step from `y` at `t` over a span, as `solve` finds it. @throws ValueError */
export function initialStepSize<Y, P = unknown>(
  f: TensorRate<Y, P>,
  t: TensorLike,
  y: Y,
  span: TensorLike,
  options: EmbeddedStepOptions<P> = {},
): Tensor {
  const { system, tolerances, method, vector } = parts("initialStepSize", f, y, options);
  const [time, length] = [asTime(t), asTime(span)];
  const direction = sign(length);
  return firstStep(
    system,
    time,
    vector,
    system.rate(time, vector),
    direction,
    abs(length),
    tolerances,
    method.errorOrder,
  ).mul(direction);
}
