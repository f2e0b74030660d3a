import {
  abs,
  add,
  all,
  broadcastTo,
  cast,
  div,
  equal,
  expandDims,
  floor,
  greater,
  greaterEqual,
  isFinite,
  less,
  lessEqual,
  linalg,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  matmul,
  max,
  maximum,
  mul,
  pow,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
} from "@offprint/tensor-core";
import { columnScales, type DampedStep, leastDamping } from "./damped-step.js";

/** Where a batch of least-squares problems stands; leading axes `[...]` are problems of their own. */
export interface LeastSquaresState {
  /** `[..., n]` */
  readonly x: Tensor;
  /** A power of two in which residuals are told here: 1 unless their squares would be no numbers, `[...]`. */
  readonly unit: Tensor;
  /** `[..., m]` */
  readonly residuals: Tensor;
  /** `[..., m, n]` */
  readonly jacobian: Tensor;
  /** Largest lengths of the columns of the Jacobian so far, `[..., n]`. */
  readonly scales: Tensor;
  /** Damping of Levenberg and Marquardt, or length of the next step of Gauss and Newton, `[...]`. */
  readonly damping: Tensor;
  /** What the damping grows by when a step fails, `[...]`. */
  readonly growth: Tensor;
  /** 0 while at work, 1 converged, 2 where no step lowers the squares; `[...]`. */
  readonly done: Tensor;
}

/** Residuals and their Jacobian at a point. */
export interface Evaluation {
  readonly value: Tensor;
  readonly jacobian: Tensor;
}

/** What became of a trial. */
interface Verdict {
  readonly accepted: Tensor;
  readonly damping: Tensor;
  readonly growth: Tensor;
  readonly stuck: Tensor;
}

/** What a rule hears of a trial. */
interface Trial {
  /** `|r|^2` there, `[...]`. */
  readonly squares: Tensor;
  /** A change of `|r|^2` that rounding can make. */
  readonly rounding: Tensor;
  /** Whether the squares are the same up to rounding and the gradient is smaller. */
  readonly flatter: Tensor;
}

/** @internal How a method steps, and what it learns from a step. */
export interface StepRule {
  readonly firstDamping: number;
  /** The step, `[..., n]`, by a solver of the damped problem. */
  propose(state: LeastSquaresState, damped: DampedStep): Tensor;
  judge(state: LeastSquaresState, step: Tensor, trial: Trial): Verdict;
}

/** @internal Tolerances of the iteration. */
export interface LeastSquaresTolerances {
  readonly gradientTolerance: number;
  readonly stepTolerance: number;
}

const last = { axis: -1 } as const;
const squaresOf = (x: Tensor) => sum(square(x), last);
const product = (matrix: Tensor, v: Tensor) => squeeze(matmul(matrix, expandDims(v, -1)), -1);

/**
 * @internal Marquardt's scaled damping, adapted by the ratio of the decrease to that of the linear model as Nielsen
 * (1999) does.
 */
export const levenbergMarquardtRule: StepRule = {
  firstDamping: 1e-3,
  propose: ({ jacobian, residuals, damping, scales }, damped) => damped(jacobian, residuals, damping, scales),
  judge({ jacobian, residuals, damping, growth, scales, x }, step, { squares, rounding, flatter }) {
    const predicted = add(squaresOf(product(jacobian, step)), mul(2, mul(damping, squaresOf(mul(scales, step)))));
    const decrease = sub(squaresOf(residuals), squares);
    const falls = logicalAnd(greater(decrease, mul(1e-4, predicted)), greater(predicted, 0));
    const accepted = logicalOr(falls, logicalAnd(flatter, lessEqual(predicted, rounding)));
    const gain = where(falls, div(decrease, where(falls, predicted, 1)), 1);
    const centred = sub(mul(2, gain), 1);
    const shrink = maximum(1 / 3, sub(1, mul(centred, square(centred))));
    const shorter = lessEqual(squaresOf(mul(scales, step)), mul(2 ** -104, squaresOf(mul(scales, x))));
    return {
      accepted,
      damping: where(accepted, maximum(mul(damping, shrink), 1e-18), mul(damping, growth)),
      growth: where(accepted, 2, mul(growth, 2)),
      stuck: logicalAnd(logicalNot(accepted), logicalOr(shorter, greater(damping, 1e30))),
    };
  },
};

/** @internal The whole step of Gauss and Newton, halved until the squares fall enough (Armijo's condition). */
export const gaussNewtonRule: StepRule = {
  firstDamping: 1,
  propose: ({ jacobian, residuals, damping, scales }, damped) =>
    mul(damped(jacobian, residuals, leastDamping, scales), expandDims(damping, -1)),
  judge({ jacobian, residuals, damping, growth }, step, { squares, rounding, flatter }) {
    // |J step|^2 / damping is the slope of |r|^2 / 2 along the whole step, times its length.
    const slope = div(squaresOf(product(jacobian, step)), damping);
    const falls = lessEqual(squares, sub(squaresOf(residuals), mul(2e-4, slope)));
    const accepted = logicalAnd(logicalOr(falls, logicalAnd(flatter, lessEqual(slope, rounding))), greater(slope, 0));
    return {
      accepted,
      damping: where(accepted, 1, mul(damping, 0.5)),
      growth,
      stuck: logicalAnd(logicalNot(accepted), less(damping, 2 ** -30)),
    };
  },
};

/** @internal The state before the first iteration. */
export function firstState(
  rule: StepRule,
  x: Tensor,
  { value, jacobian }: Evaluation,
  tolerances: LeastSquaresTolerances,
): LeastSquaresState {
  const batch = x.shape.slice(0, -1);
  const each = (number: number) => mul(broadcastTo(tensor(number, { dtype: x.dtype }), batch), 1);
  const unit = unitOf(value);
  const at = inUnit({ value, jacobian }, unit);
  const scales = columnScales(at.jacobian);
  const start = { x, unit, residuals: at.value, jacobian: at.jacobian, scales };
  return { ...start, damping: each(rule.firstDamping), growth: each(2), done: flat(at, unit, tolerances) };
}

/** Residuals within `2^-n` and `2^n` have squares, and parts of them, that are numbers. */
const ordinary = { float32: 40, float64: 250 } as const;

/** The unit of residuals: the power of two at the largest where it is out of range, else 1. */
function unitOf(residuals: Tensor): Tensor {
  const size = max(abs(residuals), last);
  const range = ordinary[residuals.dtype as keyof typeof ordinary];
  const within = logicalAnd(greaterEqual(size, 2 ** -range), lessEqual(size, 2 ** range));
  const given = logicalAnd(greater(size, 0), isFinite(size));
  const scaled = logicalAnd(given, logicalNot(within));
  return where(scaled, pow(2, floor(mul(log(where(scaled, size, 1)), Math.LOG2E))), 1);
}

/** An evaluation in a unit. */
function inUnit({ value, jacobian }: Evaluation, unit: Tensor): Evaluation {
  const each = expandDims(unit, -1);
  return { value: div(value, each), jacobian: div(jacobian, expandDims(each, -1)) };
}

/** @internal Residuals and Jacobian of a state as the function gave them. */
export function withoutUnit({ residuals, jacobian, unit }: LeastSquaresState): Evaluation {
  const each = expandDims(unit, -1);
  return { value: mul(residuals, each), jacobian: mul(jacobian, expandDims(each, -1)) };
}

/** @internal What changes by an evaluated trial `x + step`: each problem takes it or not. */
export function decided(
  rule: StepRule,
  state: LeastSquaresState,
  step: Tensor,
  point: Evaluation,
  tolerances: LeastSquaresTolerances,
): LeastSquaresState {
  const { value, jacobian } = inUnit(point, state.unit);
  const squares = squaresOf(value);
  const rounding = mul(squaresOf(state.residuals), roundingOf(state.x));
  const flatter = logicalAnd(
    lessEqual(squares, add(squaresOf(state.residuals), rounding)),
    less(gradientSize(jacobian, value), mul(0.9, gradientSize(state.jacobian, state.residuals))),
  );
  const verdict = rule.judge(state, step, { squares, rounding, flatter });
  const finite = logicalAnd(isFinite(squares), all(isFinite(jacobian), { axis: [-1, -2] }));
  const working = equal(state.done, 0);
  const moved = logicalAnd(logicalAnd(verdict.accepted, finite), working);
  const vector = expandDims(moved, -1);
  const small = lessEqual(
    linalg.norm(step, last),
    mul(tolerances.stepTolerance, add(linalg.norm(state.x, last), tolerances.stepTolerance)),
  );
  const converged = maximum(flat({ value, jacobian }, state.unit, tolerances), where(small, 1, 0));
  const kept = (next: Tensor, old: Tensor) => where(working, next, old);
  return {
    x: where(vector, add(state.x, step), state.x),
    unit: state.unit,
    residuals: where(vector, value, state.residuals),
    jacobian: where(expandDims(vector, -1), jacobian, state.jacobian),
    scales: where(vector, maximum(state.scales, columnScales(jacobian)), state.scales),
    damping: kept(verdict.damping, state.damping),
    growth: kept(verdict.growth, state.growth),
    done: kept(where(moved, converged, where(verdict.stuck, 2, 0)), state.done),
  };
}

/** @internal Relative rounding error of a sum of squares. */
export function roundingOf({ dtype }: Pick<Tensor, "dtype">): number {
  return 64 * (dtype === "float32" ? 2 ** -23 : 2 ** -52);
}

/** 1 where the largest entry of the gradient `J^T r`, whose unit is the square of that of residuals, is at most the tolerance, else 0. */
function flat({ value, jacobian }: Evaluation, unit: Tensor, { gradientTolerance }: LeastSquaresTolerances): Tensor {
  const size = gradientSize(jacobian, value);
  return cast(lessEqual(size, div(div(gradientTolerance, unit), unit)), size.dtype);
}

/** @internal Largest entry of `J^T r`, `[...]`. */
export function gradientSize(jacobian: Tensor, residuals: Tensor): Tensor {
  return max(abs(sum(mul(jacobian, expandDims(residuals, -1)), { axis: -2 })), last);
}
