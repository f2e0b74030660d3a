import { asVariables, type Raveling, raveling } from "@offprint/solvers";
import {
  add,
  any,
  checkOptions,
  customVjp,
  greaterEqual,
  isNaN,
  isTensor,
  jitSync,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  mul,
  notEqual,
  requireChoice,
  requireInteger,
  reshape,
  ShapeError,
  stopGradient,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  tree,
  UnsupportedError,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { backsolveGradient } from "./adjoint/backsolve.js";
import { discreteGradient } from "./adjoint/discrete.js";
import { forwardGradient, forwardSensitivities } from "./adjoint/forward.js";
import { interpolatingGradient } from "./adjoint/interpolating.js";
import {
  type Cotangents,
  directionOf,
  type Gradients,
  type Problem,
  runForward,
  stateAt,
  type Times,
  type Trajectory,
} from "./adjoint/trajectory.js";
import type { Keeping } from "./advance.js";
import type { Method } from "./methods/method.js";
import {
  checkStepping,
  requireUseful,
  type SteppingOptions,
  savesOf,
  steppingNames,
  stopsOf,
  timesOf,
  tolerancesOf,
} from "./options.js";
import { interpolated, partOfStep } from "./saved.js";
import type { TensorRate } from "./solve.js";
import { sampleNorms, treeSystem } from "./system.js";

/**
 * How the gradient of a solve is found. `"discrete"`: of the steps that were made, exactly, errors and stiffness among
 * them, step by step from the stored states; `"interpolating"`: the adjoint equation, backwards along the dense output;
 * `"backsolve"`: the same with the states solved backwards as well, at constant memory; `"forward"`: sensitivities by each entry
 * of state and parameters, solved beside the equation, of the steps that were made, for few entries: `jvp` goes
 * through it; `"none"`: none.
 */
export type Adjoint = "discrete" | "interpolating" | "backsolve" | "forward" | "none";

/** A step that stands, as {@link StepFold} sees it: constants to gradients. */
export interface SolvedStep<Y> {
  /** Where it begins, `[]`. */
  readonly t: Tensor;
  /** Where it ends. */
  readonly end: Tensor;
  /** Its size, with sign. */
  readonly h: Tensor;
  /** The state where it begins. */
  readonly y: Y;
  /** The state where it ends. */
  readonly next: Y;
  /** Its error relative to the tolerances. */
  readonly error: Tensor;
  /** The state at a time between. */
  at(t: Tensor): Y;
}

/** What is gathered of the steps of a solve while they are made, such as the state in one of them: nothing is kept for it. */
export interface StepFold<Y, A> {
  /** What is there before the first step: a tree of tensors. */
  readonly initial: A;
  /** What is there after a step that stands, like `initial`. */
  step(gathered: A, step: SolvedStep<Y>): A;
}

/** Options of {@link integrate}. */
export interface IntegrateOptions<P = unknown, Y = never, A = unknown> extends SteppingOptions {
  /** Handed to the right-hand side: a tree of float tensors, which gets a gradient. */
  readonly parameters?: P;
  /** Times of `ys`, in the order in which they are met, `[m]`. States are saved while steps pass them: no step is kept for it. */
  readonly saveAt?: TensorLike;
  /** How the gradient is found (default `"discrete"`). */
  readonly adjoint?: Adjoint;
  /**
   * For the discrete adjoint, whether the sizes of the steps are constants (`"frozen"`, the default), or the formula of the
   * controller is differentiated as well (`"through"`); what it limits and refuses has no slope.
   */
  readonly stepGradient?: "frozen" | "through";
  /**
   * For the discrete and the interpolating adjoint, from how many steps one state is kept: those between are made again, at the
   * cost of a solve. 1: all states, so that only stages are made again; 0: the stages too, the fastest. The discrete gradient is the
   * same but for rounding. Default 0; for the discrete adjoint 1 where the stages of `maxSteps` steps take more than 64 MB.
   */
  readonly checkpointEvery?: number;
  /** Steps at most; there is room for the times, sizes and estimates of so many (default 256). */
  readonly maxSteps?: number;
  /** Whether the dense output is kept, for `at` (default false). */
  readonly dense?: boolean;
  /** Jacobian of the rate by the state, `[n, n]`, for stiff methods (default derived). */
  readonly jacobian?: (t: Tensor, y: never, parameters: P) => Tensor;
  /** What is gathered of the steps while they are made: {@link Integral.folded}. */
  readonly fold?: StepFold<Y, A>;
}

/** What {@link integrate} gives: tensors throughout. */
export interface Integral<Y, A = unknown> {
  /** The state at the end; NaN, and so is its gradient, where `maxSteps` did not do, or no step was small enough. */
  readonly y: Y;
  /** The states at the times of `saveAt`, along a new axis 0; NaN at those that were not reached, without rows where there are none. */
  readonly ys: Y;
  /** What `fold` gathered; a constant to gradients. */
  readonly folded: A;
  /** Errors of the steps, relative to the tolerances, `[maxSteps]`; 0 behind the last. Differentiable by the discrete adjoint. */
  readonly errors: Tensor;
  /** Estimates of the largest eigenvalue of the Jacobian, `[maxSteps]`, likewise. */
  readonly stiffness: Tensor;
  /** Where the steps begin, `[maxSteps]`. */
  readonly stepTimes: Tensor;
  /** Their sizes, with sign, `[maxSteps]`. */
  readonly stepSizes: Tensor;
  /** How many steps there are, int32. */
  readonly steps: Tensor;
  /** Evaluations of the right-hand side, without those of the gradient, int32. */
  readonly evaluations: Tensor;
  /** Whether the end was reached. */
  readonly reached: Tensor;
  /**
   * The state at a time, a scalar, of the dense output; a constant to gradients. NaN where no step was, before the beginning or
   * behind the end.
   * @throws UnsupportedError without `dense`
   */
  readonly at: (t: TensorLike) => Y;
}

const names = [
  ...[...steppingNames, "parameters", "saveAt", "adjoint", "stepGradient", "checkpointEvery"],
  ...["maxSteps", "jacobian", "dense", "fold"],
];

/**
 * Solves `dy/dt = f(t, y, parameters)` from `y0` at `t0` to `t1` as an operation of tensors: with a gradient by `y0` and the
 * parameters, inside `jit` and training steps, and compiled by itself where it is called alone. Times are constants.
 *
 * @param f - The rate, in operations of tensors, like `y0`; what it closes over gets no gradient.
 * @param y0 - A tensor or a tree of tensors.
 * @param span - `[t0, t1]`, numbers or scalar tensors.
 * @throws ValueError for options out of range.
 * @see Chen et al. 2018 (continuous adjoints); Pal et al. 2021 (errors and stiffness as regularisers).
 * @example grad((k) => integrate((t, y, k) => mul(k, y), y0, [0, 1], { parameters: k }).y)(k)
 */
export function integrate<Y, P = unknown, A = unknown>(
  f: TensorRate<Y, P>,
  y0: Y,
  span: readonly [TensorLike, TensorLike],
  options: IntegrateOptions<P, Y, A> = {},
): Integral<Y, A> {
  const owner = "integrate";
  checkOptions(owner, options, names);
  const stepping = checkStepping(owner, options);
  const { adjoint = "discrete", stepGradient = "frozen", maxSteps = 256, jacobian, dense = false } = options;
  const { checkpointEvery, fold } = options;
  requireChoice(owner, "adjoint", adjoint, ["discrete", "interpolating", "backsolve", "forward", "none"]);
  requireChoice(owner, "stepGradient", stepGradient, ["frozen", "through"]);
  requireInteger(owner, "maxSteps", maxSteps, 1);
  requireUseful(owner, stepping.method, jacobian);
  if (checkpointEvery !== undefined) {
    requireInteger(owner, "checkpointEvery", checkpointEvery, 0);
    if (adjoint !== "discrete" && adjoint !== "interpolating") {
      throw new ValueError(`${owner}: adjoint "${adjoint}" keeps no states; leave checkpointEvery out with it`);
    }
  }
  if (fold !== undefined && typeof fold?.step !== "function") {
    throw new ValueError(`${owner}: fold is ${String(fold)}; give { initial, step(gathered, step) }`);
  }
  if (fold !== undefined) checkOptions(`${owner}: fold`, fold, ["initial", "step"], ["initial", "step"]);
  requireChoice(owner, "dense", dense, [true, false]);
  if (stepGradient === "through" && (stepping.stopAt.length > 0 || adjoint !== "discrete")) {
    throw new ValueError(
      `${owner}: stepGradient "through" takes no stopAt and the discrete adjoint; leave one of them out`,
    );
  }
  if (!Array.isArray(span) || span.length !== 2)
    throw new ValueError(`${owner}: the span is ${String(span)}; give [t0, t1]`);
  const example = asVariables(y0) as Y;
  const state = raveling(owner, example);
  const samples = stepping.norm === "samples" ? sampleNorms(owner, state, example) : undefined;
  const problem: Problem<P> = {
    system: (parameters) => treeSystem(owner, f, parameters, state, samples, jacobian as never),
    method: stepping.method,
    controller: stepping.controller,
    tolerances: tolerancesOf(owner, stepping, state),
    initialStep: stepping.initialStep === 0 ? null : tensor(stepping.initialStep, { dtype: "float64" }),
    stopAt: stopsBetween(owner, stepping.stopAt, span),
    maxSteps,
    keeping: {
      ...keptFor(adjoint, checkpointEvery, dense, stageBytes(stepping.method, state) * maxSteps),
      control: stepGradient === "through",
    },
    dense,
    through: stepGradient === "through",
    fold: fold === undefined ? (gathered) => gathered : folding(fold as StepFold<Y, unknown>, state, stepping.method),
  };
  const parameters = (options.parameters === undefined ? null : asVariables(options.parameters)) as P;
  const times = [time(owner, span[0]), time(owner, span[1])] as const;
  const saves = options.saveAt === undefined ? null : savedTimes(owner, options.saveAt, span);
  const solve = differentiable(problem, adjoint);
  const initialFold = fold === undefined ? null : asVariables(fold.initial);
  return result(
    state,
    problem,
    times,
    solve(state.ravel(example), parameters, [...times, saves], initialFold),
  ) as Integral<Y, A>;
}

/** Bytes of the rates of a step's stages. */
function stageBytes<Y>({ evaluations }: Method, { size, dtype }: Raveling<Y>): number {
  return (1 + evaluations) * size * (dtype === "float32" ? 4 : 8);
}

/** Stages of so many bytes are kept where nothing is said. */
const STAGE_BYTES = 2 ** 26;

/** What an adjoint needs of the steps. */
function keptFor(adjoint: Adjoint, every: number | undefined, dense: boolean, bytes: number): Omit<Keeping, "control"> {
  if (adjoint === "discrete") {
    const spacing = every ?? (bytes <= STAGE_BYTES ? 0 : 1);
    return { states: Math.max(1, spacing), rates: spacing === 0, basis: dense };
  }
  const spacing = adjoint === "interpolating" ? (every ?? 0) : 0;
  return { states: spacing, rates: false, basis: dense || (adjoint === "interpolating" && spacing === 0) };
}

/** A user's fold, of vectors, for steps that stand. */
function folding<Y>({ step }: StepFold<Y, unknown>, state: Raveling<Y>, method: Method): Problem<unknown>["fold"] {
  return (gathered, tried) => {
    const { t, end, h, y, next, error } = tried;
    const at = (time: Tensor) => state.unravel(interpolated(method, tried, partOfStep(time, t, h), h));
    const after = step(gathered, { t, end, h, y: state.unravel(y), next: state.unravel(next), error, at });
    return tree.map((a: TensorLike, b: Tensor) => where(tried.accepted, a, b), after, gathered);
  };
}

/** Forced stops between the ends, in order; where the ends are tensors, as they are given. */
function stopsBetween(owner: string, stopAt: readonly number[], [t0, t1]: readonly [TensorLike, TensorLike]) {
  if (typeof t0 !== "number" || typeof t1 !== "number") return stopAt;
  return stopsOf(owner, stopAt, [t0, t1]).slice(0, -1);
}

function time(owner: string, t: TensorLike, name = "the span"): Tensor {
  if (typeof t === "number") {
    timesOf(owner, name, [t]);
    return tensor(t, { dtype: "float64" });
  }
  return stopGradient(isTensor(t) ? t.cast("float64") : tensor(t, { dtype: "float64" }));
}

function savedTimes(owner: string, times: TensorLike, span: readonly [TensorLike, TensorLike]): Tensor {
  const given = isTensor(times) ? times.cast("float64") : tensor(times, { dtype: "float64" });
  if (given.rank !== 1) throw new ValueError(`${owner}: saveAt has shape [${given.shape}]; give a list of times, [m]`);
  const [t0, t1] = span;
  if (!isTensor(times) && typeof t0 === "number" && typeof t1 === "number") savesOf(owner, given.data(), [t0, t1]);
  return stopGradient(given);
}

type Outputs = Omit<Trajectory, "rows"> & { readonly rows: Pick<Trajectory["rows"], "basis"> | null };

/** The solve with its gradient. */
function differentiable<P>(
  problem: Problem<P>,
  adjoint: Adjoint,
): (y: Tensor, parameters: P, times: Times, initialFold: unknown) => Outputs {
  type Given = [y: Tensor, parameters: P, times: Times, initialFold: unknown];
  const forward = (...given: Given) => solved(problem, given);
  // Where no gradient is asked for, nothing is kept for one.
  const plain = { ...problem, keeping: { states: 0, rates: false, basis: problem.dense, control: false } };
  const withoutGradient = (...given: Given) => outputs(solved(plain, given));
  const outputs = ({ rows: { basis }, last, ...rest }: Trajectory): Outputs => ({
    ...rest,
    last: where(rest.reached, last, Number.NaN),
    rows: problem.dense ? { basis } : null,
  });
  if (adjoint === "none") return withoutGradient;
  if (adjoint === "forward") {
    const beside = (...given: [Tensor, P, Times]) => forwardSensitivities(problem, ...given);
    return customVjp(
      withoutGradient,
      (...given: Given) => {
        const [y, parameters, times] = given;
        const trajectory = forward(...given);
        return [outputs(trajectory), { trajectory, sensitivities: alone(beside)(y, parameters, times), y, parameters }];
      },
      ({ trajectory, sensitivities, y, parameters }, cotangents: Outputs) =>
        gradientsOf(trajectory, cotangents, forwardGradient(sensitivities, y, parameters, cotangents)),
    );
  }
  const gradients = { discrete: discreteGradient, interpolating: interpolatingGradient, backsolve: backsolveGradient };
  return customVjp(
    withoutGradient,
    (...given: Given) => {
      const trajectory = forward(...given);
      return [outputs(trajectory), { trajectory, given }];
    },
    ({ trajectory, given: [y, parameters, times] }, cotangents: Outputs) => {
      const back = (...inputs: [Trajectory, Tensor, P, Times, Cotangents]) => gradients[adjoint](problem, ...inputs);
      return gradientsOf(trajectory, cotangents, alone(back)(trajectory, y, parameters, times, cotangents));
    },
  );
}

/** The gradients by what a solve is given: NaN where they are asked of a state that it did not come to, which is NaN too. */
function gradientsOf<P>(
  { reached, saved }: Pick<Trajectory, "reached" | "saved">,
  cotangents: Cotangents,
  { state, parameters }: Gradients<P>,
): readonly [Tensor, P, null, null] {
  const asked = (missing: Tensor, cotangent: Tensor) => any(logicalAnd(missing, notEqual(cotangent, 0)));
  const lost = logicalOr(asked(logicalNot(reached), cotangents.last), asked(isNaN(saved), cotangents.saved));
  const known = (gradient: Tensor) => where(lost, Number.NaN, gradient);
  return [known(state), tree.map(known, parameters) as P, null, null];
}

function solved<P>(problem: Problem<P>, given: [Tensor, P, Times, unknown]): Trajectory {
  const inputs = tree.map(stopGradient, given) as typeof given;
  return alone((...at: typeof given) => runForward(problem, ...at))(...inputs);
}

/** A function that is compiled for one call, unless it is part of something that is. */
function alone<A extends unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const compiled = jitSync(f);
    const value = compiled(...args);
    compiled.release();
    return value as R;
  };
}

function result<Y, P>(
  state: Raveling<Y>,
  { method, initialStep }: Problem<P>,
  [t0, t1]: readonly [Tensor, Tensor],
  outputs: Outputs,
): Integral<Y> {
  const { last, saved, reached, attempts, errors, stiffness, stepTimes, stepSizes, steps, folded } = outputs;
  const [count] = saved.shape;
  return {
    y: state.unravel(last),
    ys: unravelRows(state, saved, count),
    folded,
    errors,
    stiffness,
    stepTimes,
    stepSizes,
    steps,
    evaluations: add(mul(attempts, method.evaluations), initialStep === null ? 2 : 1),
    reached,
    at(t) {
      if (outputs.rows === null) throw new UnsupportedError("integrate: at() needs the dense output; give dense: true");
      const { basis } = tree.map(stopGradient, outputs.rows);
      const records = { t: stepTimes, h: stepSizes, basis };
      const direction = directionOf(t0, t1);
      const at = time("integrate", t, "the time of at");
      if (at.size !== 1) throw new ShapeError(`integrate: the time of at has shape [${at.shape}]; give one number`);
      const last = maximum(sub(steps, 1), 0);
      const end = where(reached, t1, add(take(stepTimes, last), take(stepSizes, last)));
      const [begun, over] = [sub(at, t0), sub(at, end)].map((x) => reshape(mul(direction, x), []));
      const known = logicalAnd(greaterEqual(begun, 0), lessEqual(over, 0));
      return state.unravel(where(known, stateAt(method, direction, records, steps, reshape(at, [])), Number.NaN));
    },
  };
}

/** Rows of vectors as one state with a new axis 0. */
function unravelRows<Y>(state: Raveling<Y>, rows: Tensor, count: number): Y {
  let from = 0;
  return tree.map(
    (leaf: Tensor) => {
      const part = rows.slice([null, { start: from, stop: from + leaf.size }]);
      from += leaf.size;
      return part.reshape([count, ...leaf.shape]).cast(leaf.dtype);
    },
    state.unravel(tensor(new Float64Array(state.size)).cast(state.dtype)),
  );
}
