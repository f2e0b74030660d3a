import {
  checkOptions,
  NonFiniteError,
  requireInteger,
  requireNonNegative,
  ShapeError,
  ValueError,
} from "@offprint/tensor-core";
import { maxNorm } from "../linear/vector-arithmetic.js";
import { type Asking, answered } from "../run/asking.js";
import { makeBreather } from "../run/breather.js";
import { type Loop, type RunResult, runLoop, runLoopSync } from "../run/run-loop.js";
import { type RunOptions, type RunState, runOptionNames } from "../run/run-options.js";
import type { Status } from "../run/status.js";
import { inUnit, objectiveUnit, withoutUnit } from "./objective-unit.js";
import {
  type Evaluated,
  type SearchSpace,
  searchSpace,
  type TreeObjective,
  type VectorObjective,
} from "./search-space.js";

/** What a minimiser tells of an iteration. */
export interface MinimizerRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** `f` after it. */
  readonly objective: number;
  /** Largest entry of the gradient there (projected on the bounds, if any). */
  readonly gradientNorm: number;
  /** Calls of the objective so far. */
  readonly evaluations: number;
}

/** Limits and tolerances of the minimisers of smooth functions. */
export interface MinimizerSettings {
  /** Converged when the largest gradient entry (projected on the bounds, if any) is at most this (default 1e-8). */
  readonly gradientTolerance?: number;
  /**
   * Converged, too, when `f` falls by at most this times `max(|f|, |f_before|, 1)` in an iteration (default 0: never).
   */
  readonly decreaseTolerance?: number;
  /** Most iterations (default 1000). */
  readonly maxIterations?: number;
  /** Most evaluations of a single line search (default 40). */
  readonly maxLineSearch?: number;
}

/** A state to go on from; a tree. */
export type MinimizerState = RunState<SmoothState, MinimizerRecord>;

/** Options of the minimisers of smooth functions. */
export interface MinimizerOptions extends MinimizerSettings, RunOptions<MinimizerRecord, MinimizerState> {}

/**
 * Why a minimiser stopped; `inaccurate` where no step along the search direction lowers `f` although the gradient is not
 * small enough: rounding, usually, or a gradient that is not that of `f`.
 */
export type MinimizerStatus = Status | "inaccurate";

/** Result of a minimiser. */
export interface MinimizerResult<X = Float64Array> {
  /** Last iterate, like `initial`. */
  readonly x: X;
  /** `f(x)`. */
  readonly objective: number;
  /** Gradient at `x`, like it. */
  readonly gradient: X;
  /** Why the minimiser stopped. */
  readonly status: MinimizerStatus;
  /** Iterations done. */
  readonly iterations: number;
  /** Calls of the objective. */
  readonly evaluations: number;
  /** The record of every iteration. */
  readonly history: readonly MinimizerRecord[];
  /** What `resume` goes on from. */
  readonly state: MinimizerState;
}

/** Where a minimiser stands. */
export interface SmoothState {
  /** Iterations done. */
  readonly iteration: number;
  /** The point, `[n]`: of a tree the leaves, one after the other. */
  readonly x: Float64Array;
  /** A power of two in which `f` and its gradient are told here: 1 unless the squares of gradients would be no numbers. */
  readonly unit: number;
  /** `f` there. */
  readonly objective: number;
  /** Its gradient, `[n]`. */
  readonly gradient: Float64Array;
  /** Calls of the objective. */
  readonly evaluations: number;
  /** Decrease of the last iteration relative to `max(|f|, |f_before|, 1)`; infinite before the first. */
  readonly decrease: number;
  /** No step lowered `f`. */
  readonly inaccurate: boolean;
}

/** The words of a minimiser for being done. */
type Finish = "converged" | "inaccurate";

/** A method: what it remembers beside the point, and how it gets to the next one. */
export interface SmoothMethod<S extends SmoothState> {
  readonly owner: string;
  /** Names of its own options. */
  readonly options: readonly string[];
  /** The first state at an evaluated point. */
  begin(point: SmoothState): S;
  /** One iteration; yields points to evaluate. */
  step(state: S, settings: StepSettings): Asking<Float64Array, Evaluated, S>;
  /** What the gradient tolerance is compared with. Default the largest entry of the gradient. */
  gradientNorm?(x: Float64Array, gradient: Float64Array): number;
  /** Throws where a state to resume lacks what the method remembers. */
  check(state: S): boolean;
}

/** What a step of a method needs to know. */
export interface StepSettings {
  readonly maxEvaluations: number;
  /** Relative rounding error of `f`. */
  readonly rounding: number;
}

const settingNames = ["gradientTolerance", "decreaseTolerance", "maxIterations", "maxLineSearch"];

/** The signal fired in the middle of an iteration, which is given up. */
class Interrupted extends Error {}

/**
 * @internal Runs a method on a function of a vector or a tree. `make` gets the space and makes the method for it.
 * @throws ValueError; NonFiniteError.
 */
export async function minimizeSmooth<X, S extends SmoothState>(
  make: (space: SearchSpace<X>) => SmoothMethod<S>,
  owner: string,
  objective: VectorObjective | TreeObjective<X>,
  initial: unknown,
  options: MinimizerOptions,
): Promise<MinimizerResult<X>> {
  const { signal } = options;
  const space = searchSpace<X>(owner, objective, initial);
  const method = make(space);
  checkOptions(owner, options, [...settingNames, ...method.options, ...runOptionNames]);
  const breather = makeBreather();
  let interrupted = false;
  const unlessAborted = (x: Float64Array) => {
    if (signal?.aborted) throw new Interrupted();
    return space.evaluate(x);
  };
  const ask = (x: Float64Array) => (breather.due() ? breather.pause().then(() => unlessAborted(x)) : unlessAborted(x));
  const giveUp = (state: S) => (error: unknown) => {
    if (!(error instanceof Interrupted)) throw error;
    interrupted = true;
    return state;
  };
  const whole = smoothLoop(method, space, options);
  const loop: typeof whole = {
    ...whole,
    step(state) {
      try {
        const next = answered(method.step(state, stepSettings(space, options)), (x) => toldIn(state.unit, ask(x)));
        return next instanceof Promise ? next.catch(giveUp(state)) : next;
      } catch (error) {
        return giveUp(state)(error);
      }
    },
    record: (state, iteration) => (interrupted ? undefined : whole.record(state, iteration)),
  };
  // The method's own part of a state is known to the method alone.
  const result = await runLoop(loop, options as RunOptions<MinimizerRecord, RunState<S, MinimizerRecord>>);
  return resultOf(space, result);
}

/** @internal The same in one go, without {@link RunOptions}. */
export function minimizeSmoothSync<S extends SmoothState>(
  make: (space: SearchSpace<Float64Array>) => SmoothMethod<S>,
  owner: string,
  objective: VectorObjective,
  initial: ArrayLike<number>,
  options: MinimizerSettings,
): MinimizerResult {
  const space = searchSpace<Float64Array>(owner, objective, initial);
  const method = make(space);
  checkOptions(owner, options, [...settingNames, ...method.options]);
  return resultOf(space, runLoopSync(smoothLoop(method, space, options)));
}

function smoothLoop<X, S extends SmoothState>(
  method: SmoothMethod<S>,
  space: SearchSpace<X>,
  options: MinimizerSettings,
): Loop<S, MinimizerRecord, Finish> {
  const { owner } = method;
  const { gradientTolerance = 1e-8, decreaseTolerance = 0, maxIterations = 1000, maxLineSearch = 40 } = options;
  requireNonNegative(owner, "gradientTolerance", gradientTolerance);
  requireNonNegative(owner, "decreaseTolerance", decreaseTolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireInteger(owner, "maxLineSearch", maxLineSearch, 1);
  const size = ({ x, gradient: told, unit }: SmoothState) => {
    const gradient = withoutUnit(told, unit);
    return method.gradientNorm?.(x, gradient) ?? maxNorm(gradient);
  };
  return {
    owner,
    limit: maxIterations,
    initial() {
      const x = space.start.slice();
      const begin = (point: Evaluated) => method.begin(firstPoint(owner, x, point));
      const point = space.evaluate(x.slice());
      return point instanceof Promise ? point.then(begin) : begin(point);
    },
    step: (state) =>
      answered(method.step(state, stepSettings(space, options)), (x) => toldIn(state.unit, space.evaluate(x))),
    count: ({ iteration }) => iteration,
    record: (state, iteration) => {
      const { objective, unit, evaluations } = state;
      return { iteration, objective: objective * unit, gradientNorm: size(state), evaluations };
    },
    finished: (state) => {
      if (size(state) <= gradientTolerance) return "converged";
      if (decreaseTolerance > 0 && state.decrease <= decreaseTolerance) return "converged";
      return state.inaccurate ? "inaccurate" : undefined;
    },
    check: (state) => {
      const { x, gradient, unit } = state;
      const fits = [x, gradient].every((v) => v instanceof Float64Array && v.length === space.start.length);
      if (!fits || !(unit > 0 && unit < Number.POSITIVE_INFINITY) || !method.check(state)) {
        throw new ValueError(`${owner}: resume is a state of another problem or method; give one of this problem`);
      }
    },
  };
}

function toldIn(unit: number, evaluated: Evaluated | Promise<Evaluated>): Evaluated | Promise<Evaluated> {
  return evaluated instanceof Promise ? evaluated.then((e) => inUnit(e, unit)) : inUnit(evaluated, unit);
}

function stepSettings(space: SearchSpace<unknown>, { maxLineSearch = 40 }: MinimizerSettings): StepSettings {
  return { maxEvaluations: maxLineSearch, rounding: 16 * space.epsilon };
}

function firstPoint(owner: string, x: Float64Array, point: Evaluated): SmoothState {
  const { value, gradient } = point;
  if (!Number.isFinite(value)) throw new NonFiniteError(`${owner}: the objective is ${value} at the initial point`);
  const wrong = gradient.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) {
    throw new NonFiniteError(`${owner}: the gradient is ${gradient[wrong]} at entry ${wrong} of the initial point`);
  }
  const decrease = Number.POSITIVE_INFINITY;
  const unit = objectiveUnit(point);
  const told = inUnit(point, unit);
  const start = { iteration: 0, x, unit, objective: told.value, gradient: told.gradient };
  return { ...start, evaluations: 1, decrease, inaccurate: false };
}

function resultOf<X, S extends SmoothState>(
  space: SearchSpace<X>,
  { status, iterations, history, last, state }: RunResult<S, MinimizerRecord, Finish>,
): MinimizerResult<X> {
  const { x, unit, objective, gradient, evaluations } = last;
  return {
    x: space.restore(x.slice()),
    objective: objective * unit,
    gradient: space.restore(withoutUnit(gradient.slice(), unit)),
    status,
    iterations,
    evaluations,
    history,
    state,
  };
}

/** @internal The values of a vector of `n`, or one for all. */
export function readEach(
  owner: string,
  name: string,
  value: ArrayLike<number> | number | undefined,
  n: number,
  fallback: number,
): Float64Array {
  if (value === undefined || typeof value === "number") return new Float64Array(n).fill(value ?? fallback);
  if (value.length !== n) throw new ShapeError(`${owner}: ${name} must have length ${n}, got ${value.length}`);
  return Float64Array.from(value);
}
