import {
  add,
  checkOptions,
  jitSync,
  mul,
  NonFiniteError,
  onesLike,
  requireChoice,
  requireInteger,
  requireNonNegative,
  square,
  sum,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Loop, type RunResult, runLoop, runLoopSync } from "../run/run-loop.js";
import { type RunOptions, type RunState, runOptionNames } from "../run/run-options.js";
import type { Status } from "../run/status.js";
import { type DampedStep, dampedStep, normalStep } from "./damped-step.js";
import {
  decided,
  type Evaluation,
  firstState,
  gaussNewtonRule,
  gradientSize,
  type LeastSquaresState,
  type LeastSquaresTolerances,
  levenbergMarquardtRule,
  type StepRule,
  withoutUnit,
} from "./least-squares-iteration.js";
import { type PlainJacobian, type PlainResiduals, type ResidualSpace, residualSpace } from "./residual-space.js";

/** Limits and tolerances of least squares; of batches they hold for each problem. */
export interface LeastSquaresSettings {
  /** Converged when the largest entry of the gradient `J^T r` is at most this (default 1e-8). */
  readonly gradientTolerance?: number;
  /** Converged, too, when a step is at most this times the length of `x` (default 1e-12). */
  readonly stepTolerance?: number;
  /** Most iterations, each with one evaluation (default 1000). */
  readonly maxIterations?: number;
  /** Of plain residuals the Jacobian, row by row; central differences without it. */
  readonly jacobian?: PlainJacobian;
  /** Of residuals in tensors: whether the step is compiled (default false). */
  readonly compile?: boolean;
  /**
   * Whether steps come from a Cholesky decomposition of J^T J and not from a QR decomposition of J (default false): far
   * less work where there are many more residuals than variables, with half the digits of a step.
   */
  readonly normalEquations?: boolean;
}

/** What least squares tell of an iteration. */
export interface LeastSquaresRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** Half the sum of squares, of all problems together. */
  readonly objective: number;
  /** Largest entry of the gradients. */
  readonly gradientNorm: number;
  /** Problems still at work. */
  readonly working: number;
}

/** A state to go on from; a tree. */
export type LeastSquaresRunState = RunState<LeastSquaresState, LeastSquaresRecord>;

/** Options of {@link levenbergMarquardt} and {@link gaussNewton}. */
export interface LeastSquaresOptions
  extends LeastSquaresSettings,
    RunOptions<LeastSquaresRecord, LeastSquaresRunState> {}

/** Why the run ended; `inaccurate` where no step lowers the squares of one of the problems, and all others are done. */
export type LeastSquaresStatus = Status | "inaccurate";

/** What least squares give. */
export interface LeastSquaresResult<X> {
  /** Last iterates, like `initial`. */
  readonly x: X;
  /** Half the sum of squares, of all problems together. */
  readonly objective: number;
  /** The residuals, `[..., m]`. */
  readonly residuals: X;
  /** The Jacobian, `[..., m, n]`. */
  readonly jacobian: Tensor;
  /** Which problems have converged, `[...]` in order. */
  readonly converged: readonly boolean[];
  /** Why the run ended. */
  readonly status: LeastSquaresStatus;
  /** Iterations done. */
  readonly iterations: number;
  /** The record of every iteration. */
  readonly history: readonly LeastSquaresRecord[];
  /** What `resume` goes on from. */
  readonly state: LeastSquaresRunState;
}

/** Residuals `[..., m]` of vectors `[..., n]`, in operations of tensors; leading axes are problems of their own. */
export type TensorResiduals = (x: Tensor) => Tensor;

type Finish = "converged" | "inaccurate";
type Plain = Float64Array | readonly number[];

const names = ["gradientTolerance", "stepTolerance", "maxIterations", "jacobian", "compile", "normalEquations"];

/**
 * Minimises half the sum of squares of residuals by the method of Levenberg and Marquardt: with Marquardt's scaling, the
 * damping adapted as Nielsen (1999) does, steps by QR decompositions, or the normal equations.
 *
 * @param residuals - A function of tensors where `initial` is one: `[..., n]` to `[..., m]`, where every entry of the
 * leading axes is a problem of its own, with its own damping and end. Else a function of `[n]` numbers that returns, or
 * promises, `[m]`.
 * @param initial - First iterate.
 * @throws ValueError for options out of range and an `initial` that is not finite; NonFiniteError where residuals are not
 * there.
 * @see Levenberg 1944; Marquardt 1963; Moré 1978.
 */
export async function levenbergMarquardt(
  residuals: TensorResiduals,
  initial: Tensor,
  options?: LeastSquaresOptions,
): Promise<LeastSquaresResult<Tensor>>;
export async function levenbergMarquardt(
  residuals: PlainResiduals,
  initial: Plain,
  options?: LeastSquaresOptions,
): Promise<LeastSquaresResult<Float64Array>>;
export async function levenbergMarquardt(
  residuals: TensorResiduals | PlainResiduals,
  initial: Tensor | Plain,
  options: LeastSquaresOptions = {},
): Promise<LeastSquaresResult<unknown>> {
  return run("levenbergMarquardt", levenbergMarquardtRule, residuals, initial, options);
}

/** {@link levenbergMarquardt} in one go, for problems that are over in a blink. */
export function levenbergMarquardtSync(
  residuals: TensorResiduals,
  initial: Tensor,
  options?: LeastSquaresSettings,
): LeastSquaresResult<Tensor>;
export function levenbergMarquardtSync(
  residuals: (x: Float64Array) => ArrayLike<number>,
  initial: Plain,
  options?: LeastSquaresSettings,
): LeastSquaresResult<Float64Array>;
export function levenbergMarquardtSync(
  residuals: TensorResiduals | PlainResiduals,
  initial: Tensor | Plain,
  options: LeastSquaresSettings = {},
): LeastSquaresResult<unknown> {
  return runSync("levenbergMarquardtSync", levenbergMarquardtRule, residuals, initial, options);
}

/**
 * Minimises half the sum of squares of residuals by the method of Gauss and Newton, whose steps are halved until the
 * squares fall enough: for residuals that are small or nearly linear near the solution. Arguments as for
 * {@link levenbergMarquardt}.
 * @throws ValueError; NonFiniteError.
 */
export async function gaussNewton(
  residuals: TensorResiduals,
  initial: Tensor,
  options?: LeastSquaresOptions,
): Promise<LeastSquaresResult<Tensor>>;
export async function gaussNewton(
  residuals: PlainResiduals,
  initial: Plain,
  options?: LeastSquaresOptions,
): Promise<LeastSquaresResult<Float64Array>>;
export async function gaussNewton(
  residuals: TensorResiduals | PlainResiduals,
  initial: Tensor | Plain,
  options: LeastSquaresOptions = {},
): Promise<LeastSquaresResult<unknown>> {
  return run("gaussNewton", gaussNewtonRule, residuals, initial, options);
}

/** {@link gaussNewton} in one go, for problems that are over in a blink. */
export function gaussNewtonSync(
  residuals: TensorResiduals,
  initial: Tensor,
  options?: LeastSquaresSettings,
): LeastSquaresResult<Tensor>;
export function gaussNewtonSync(
  residuals: (x: Float64Array) => ArrayLike<number>,
  initial: Plain,
  options?: LeastSquaresSettings,
): LeastSquaresResult<Float64Array>;
export function gaussNewtonSync(
  residuals: TensorResiduals | PlainResiduals,
  initial: Tensor | Plain,
  options: LeastSquaresSettings = {},
): LeastSquaresResult<unknown> {
  return runSync("gaussNewtonSync", gaussNewtonRule, residuals, initial, options);
}

async function run(
  owner: string,
  rule: StepRule,
  residuals: unknown,
  initial: unknown,
  options: LeastSquaresOptions,
): Promise<LeastSquaresResult<unknown>> {
  checkOptions(owner, options, [...names, ...runOptionNames]);
  const space = residualSpace(owner, residuals, initial, options.jacobian);
  return resultOf(space, await runLoop(leastSquaresLoop(owner, rule, space, options), options));
}

function runSync(
  owner: string,
  rule: StepRule,
  residuals: unknown,
  initial: unknown,
  options: LeastSquaresSettings,
): LeastSquaresResult<unknown> {
  checkOptions(owner, options, names);
  const space = residualSpace(owner, residuals, initial, options.jacobian);
  return resultOf(space, runLoopSync(leastSquaresLoop(owner, rule, space, options)));
}

/** @internal The tolerances, checked. @throws ValueError */
export function checkedTolerances(owner: string, options: LeastSquaresSettings) {
  const { gradientTolerance = 1e-8, stepTolerance = 1e-12, maxIterations = 1000 } = options;
  const { compile = false, normalEquations = false } = options;
  requireNonNegative(owner, "gradientTolerance", gradientTolerance);
  requireNonNegative(owner, "stepTolerance", stepTolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireChoice(owner, "compile", compile, [true, false]);
  requireChoice(owner, "normalEquations", normalEquations, [true, false]);
  const damped = normalEquations ? normalStep : dampedStep;
  return { gradientTolerance, stepTolerance, maxIterations, compile, damped };
}

function leastSquaresLoop(
  owner: string,
  rule: StepRule,
  space: ResidualSpace,
  options: LeastSquaresSettings,
): Loop<LeastSquaresState, LeastSquaresRecord, Finish> {
  const { maxIterations, compile, damped, ...tolerances } = checkedTolerances(owner, options);
  if (compile && !space.traceable) {
    throw new ValueError(`${owner}: compile is for residuals in operations of tensors; give a tensor as initial`);
  }
  const begin = (point: Evaluation) => checkedFirst(owner, firstState(rule, space.start, point, tolerances));
  const step = stepper(rule, damped, space, tolerances);
  return {
    owner,
    limit: maxIterations,
    initial() {
      const point = space.evaluate(space.start);
      return point instanceof Promise ? point.then(begin) : begin(point);
    },
    step: compile ? jitSync(step as (state: LeastSquaresState) => LeastSquaresState) : step,
    record: (state, iteration) => ({ iteration, ...summary(state) }),
    finished({ done }) {
      const ends = Array.from(done.data() as ArrayLike<number>);
      if (ends.includes(0)) return undefined;
      return ends.includes(2) ? "inaccurate" : "converged";
    },
    check({ x, jacobian, unit }) {
      const [m, n] = jacobian?.shape?.slice(-2) ?? [];
      const told = unit?.shape?.join() === space.start.shape.slice(0, -1).join();
      if (told && x?.shape?.join() === space.start.shape.join() && x.dtype === space.start.dtype && m > 0 && n > 0)
        return;
      throw new ValueError(`${owner}: resume is a state of another problem; give one of this problem`);
    },
  };
}

function stepper(rule: StepRule, damped: DampedStep, space: ResidualSpace, tolerances: LeastSquaresTolerances) {
  return (state: LeastSquaresState): LeastSquaresState | Promise<LeastSquaresState> => {
    const step = rule.propose(state, damped);
    const point = space.evaluate(add(state.x, step), state);
    const next = (at: Evaluation) => decided(rule, state, step, at, tolerances);
    return point instanceof Promise ? point.then(next) : next(point);
  };
}

function checkedFirst(owner: string, state: LeastSquaresState): LeastSquaresState {
  // In units, so that squares of finite residuals are numbers.
  const { objective, gradientNorm } = summary({ ...state, unit: onesLike(state.unit) });
  if (Number.isFinite(objective) && Number.isFinite(gradientNorm)) return state;
  throw new NonFiniteError(`${owner}: residuals or their Jacobian are not finite at the initial point`);
}

function summary({ residuals, jacobian, unit, done }: LeastSquaresState): Omit<LeastSquaresRecord, "iteration"> {
  const sizes = Array.from(mul(mul(gradientSize(jacobian, residuals), unit), unit).data() as ArrayLike<number>);
  const squares = mul(mul(sum(square(residuals), { axis: -1 }), unit), unit);
  return {
    objective: sum(squares).item() / 2,
    gradientNorm: sizes.some(Number.isNaN) ? Number.NaN : Math.max(...sizes),
    working: Array.from(done.data() as ArrayLike<number>).filter((end) => end === 0).length,
  };
}

function resultOf(
  space: ResidualSpace,
  { status, iterations, history, last, state }: RunResult<LeastSquaresState, LeastSquaresRecord, Finish>,
): LeastSquaresResult<unknown> {
  const { value, jacobian } = withoutUnit(last);
  return {
    x: space.restore(last.x),
    objective: summary(last).objective,
    residuals: space.restore(value),
    jacobian,
    converged: Array.from(last.done.data() as ArrayLike<number>, (end) => end === 1),
    status,
    iterations,
    history,
    state,
  };
}
