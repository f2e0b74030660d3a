import { adam, type GradientTransformation, onHost, sgd } from "@offprint/optim";
import { minimizeLbfgs } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  linalg,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  type Tensor,
  type TensorLike,
  type tree,
  ValueError,
} from "@offprint/tensor-core";
import type { InnerPoint, InnerProblem } from "./inner-problem.js";
import { fits } from "./resumed-place.js";
import { exactStep, regularisedInverse } from "./target-model.js";

/** What an inner solver gives. */
export interface InnerResult<P = unknown> {
  /** Best parameters found. */
  readonly params: P;
  /** Steps made. */
  readonly steps: number;
  /** Length of the last step, for solvers that search it. */
  readonly lastStep?: number;
}

/** Minimises a surrogate from the parameters of `start`; a solver of your own may do as it likes. */
export type InnerSolver<P = unknown> = (
  problem: InnerProblem<P>,
  start: InnerPoint<P>,
  lastStep?: number,
) => InnerResult<P> | Promise<InnerResult<P>>;

/** Options of the inner solvers. */
export interface InnerOptions {
  /** Which solver; a function is a solver of your own. Default `armijo`. */
  solver?: InnerSolver | "adam" | "armijo" | "exact" | "fixed" | "lbfgs";
  /** m: most steps, an integer >= 1. Default 10. */
  steps?: number;
  /** `fixed`: the step length (default 1/beta for linear models, else needed). `adam`: the learning rate, default 1e-3. */
  learningRate?: number;
  /** Armijo: sufficient decrease, in (0, 1). Default 0.1. */
  c?: number;
  /** Armijo: factor of a step that is too long, in (0, 1). Default 0.9. */
  shrink?: number;
  /** Armijo: factor of the last step to begin the next search with, >= 1. Default 2. */
  expand?: number;
  /**
   * Armijo: first step of an outer step, as far as steps of its length can lower the surrogate enough. Where the model is not
   * linear, steps below 1e-7 times the longest of these are given up. Default 10, and 10 eta where eta is below 0.01 or above
   * 100: losses of other units have steps of other lengths.
   */
  firstStep?: number;
  /** Armijo: whether every outer step begins with `firstStep`; otherwise with the last step. Default true. */
  reset?: boolean;
  /** Ends when the norm of the gradient is at most this, or this part of its first where that is below 1, >= 0. Default 1e-6. */
  tolerance?: number;
  /** `exact`: added to the squared singular values, >= 0. Default 0. */
  ridge?: number;
}

/** Of one step; the next one goes on from there. */
const MOST_BACKTRACKS = 100;
/** The same where trials cost nothing: down to 1e-300. */
const MOST_FREE_BACKTRACKS = 7000;
/** Shortest step, in units of the longest that can be right at first. */
const SHORTEST = 1e-7;
/** Of a surrogate in float32, what may be a rounding error. */
const ROUNDING = 1e-6;

const optionNames = [
  "solver",
  "steps",
  "learningRate",
  "c",
  "shrink",
  "expand",
  "firstStep",
  "reset",
  "tolerance",
  "ridge",
] as const satisfies readonly (keyof InnerOptions)[];

/** The options that are of some solvers only. */
const ofSolver: Readonly<Record<string, readonly (keyof InnerOptions)[]>> = {
  armijo: ["steps", "tolerance", "c", "shrink", "expand", "firstStep", "reset"],
  fixed: ["steps", "tolerance", "learningRate"],
  adam: ["steps", "tolerance", "learningRate"],
  lbfgs: ["steps", "tolerance"],
  exact: ["ridge"],
};

/** @throws ValueError for an option of another solver, which would do nothing. */
function refuseIdle(solver: string, options: InnerOptions): void {
  const own = ofSolver[solver] ?? [];
  const others = Object.values(ofSolver).flat();
  const idle = others.find((name) => options[name] !== undefined && !own.includes(name));
  if (idle !== undefined) throw new ValueError(`inner: ${idle} is of another solver than ${solver}; leave it out`);
}

/** @throws ValueError for an option that is unknown, out of range or of another solver. */
export function innerSolver(options: InnerOptions, linear: boolean): InnerSolver {
  checkOptions("inner", options, optionNames);
  requireChoice("inner", "reset", options.reset, [true, false]);
  const { solver = "armijo", steps = 10, tolerance = 1e-6 } = options;
  refuseIdle(typeof solver === "function" ? "one of your own" : solver, options);
  if (typeof solver === "function") return keepingBest(solver);
  requireInteger("inner", "steps", steps, 1);
  requireNonNegative("inner", "tolerance", tolerance);
  if (solver === "armijo") return armijo(options, steps, tolerance);
  if (solver === "fixed") return fixed(options, steps, tolerance, linear);
  if (solver === "adam") return byOptimizer(adam({ learningRate: options.learningRate ?? 1e-3 }), steps, tolerance);
  if (solver === "lbfgs") return quasiNewton(steps, tolerance);
  if (solver === "exact") return exact(options.ridge ?? 0, linear);
  throw new ValueError(
    `inner: there is no solver ${String(solver)}; take armijo, fixed, adam, lbfgs, exact or a function`,
  );
}

/** A solver of the user's, whose result is taken only where it does not raise the surrogate. */
function keepingBest(solver: InnerSolver): InnerSolver {
  return async (problem, start, lastStep) => {
    const found = await solver(problem, start, lastStep);
    checkResult(found, start.params);
    const { value } = await problem.at(found.params);
    return value <= start.value ? found : { ...found, params: start.params };
  };
}

/** @throws ValueError where a solver of the user's gave what is no result. */
function checkResult(found: InnerResult, wanted: unknown): void {
  requireObject("inner", "the result of your solver", found, "{ params, steps }");
  if (!fits(found.params, wanted)) {
    throw new ValueError("inner: your solver gave parameters of other shapes; give params like those that it got");
  }
  requireInteger("inner", "steps in the result of your solver", found.steps, 0);
  if (found.lastStep !== undefined) requirePositive("inner", "lastStep in the result of your solver", found.lastStep);
}

/** Ends a loop of steps: a decrease that is lost in rounding, beside the values that the loop began and goes on with. */
function finished(start: InnerPoint, before: InnerPoint, after: InnerPoint): boolean {
  return before.value - after.value <= 1e-12 * (Math.abs(start.value) + Math.abs(after.value));
}

/** The squared norm at which a gradient is small, which targets of a small unit do not begin with. */
function smallSquare(tolerance: number, start: InnerPoint): number {
  return tolerance ** 2 * Math.min(1, start.squaredNorm);
}

function armijo(options: InnerOptions, steps: number, tolerance: number): InnerSolver {
  const { c = 0.1, shrink = 0.9, expand = 2, reset = true } = options;
  for (const [name, value] of [
    ["c", c],
    ["shrink", shrink],
  ] as const) {
    if (!(value > 0 && value < 1)) throw new ValueError(`inner: ${name} is ${value}; it must be in (0, 1)`);
  }
  if (!(expand >= 1)) throw new ValueError(`inner: expand is ${expand}; it must be >= 1`);
  if (options.firstStep !== undefined) requirePositive("inner", "firstStep", options.firstStep);
  return async (problem, start, lastStep) => {
    const firstStep = options.firstStep ?? usualStep(problem);
    // along a line the surrogate of a linear model is known: no trial costs anything, and features may be of any unit
    const free = start.curvature !== undefined;
    const lowest = free ? Number.NEGATIVE_INFINITY : problem.surrogate.lowest();
    const shortest = free ? 0 : SHORTEST * Math.min(firstStep, longestStep(start, lowest, c));
    const most = free ? MOST_FREE_BACKTRACKS : MOST_BACKTRACKS;
    let point = start;
    let length = reset ? firstStep : (lastStep ?? firstStep);
    let accepted = !reset && lastStep !== undefined;
    const small = smallSquare(tolerance, start);
    for (let s = 0; s < steps; s++) {
      if (point.squaredNorm <= small) return { params: point.params, steps: s, lastStep: length };
      if (accepted) length *= expand;
      // what no model can satisfy need not be tried: large inputs, which have short steps, take no more trials than others
      const tooLong = length / longestStep(point, lowest, c);
      if (tooLong > 1) length *= shrink ** Math.ceil(-Math.log(tooLong) / Math.log(shrink));
      accepted = await decreases(problem, point, length, c);
      for (let tries = 0; !accepted && tries < most; tries++) {
        length *= shrink;
        // nothing is gained along the gradient: stay rather than move uphill
        if (length < shortest) return { params: point.params, steps: s, lastStep: shortest };
        accepted = await decreases(problem, point, length, c);
      }
      if (!accepted) continue;
      const next = await problem.advance(point, length);
      if (!(next.value <= point.value)) return { params: point.params, steps: s, lastStep: length };
      const done = finished(start, point, next);
      point = next;
      if (done) return { params: point.params, steps: s + 1, lastStep: length };
    }
    return { params: point.params, steps, lastStep: length };
  };
}

/** No longer step than this can be accepted: it would have to lower the surrogate below its least value. */
function longestStep({ value, squaredNorm }: InnerPoint, lowest: number, c: number): number {
  return (Math.max(0, value - lowest) + ROUNDING * Math.abs(value)) / (c * squaredNorm);
}

/** 10, for surrogates of about the unit 1; else 10 in the unit of the surrogate's own step, which is eta. */
function usualStep({ surrogate }: InnerProblem): number {
  const D = Array.from(surrogate.D.data());
  const eta = D.length / D.reduce((sum, d) => sum + Math.abs(d), 0);
  return 10 * (eta < 0.01 || eta > 100 ? eta : 1);
}

async function decreases(problem: InnerProblem, point: InnerPoint, length: number, c: number): Promise<boolean> {
  const value = await problem.trial(point, length);
  return Number.isFinite(value) && value <= point.value - c * length * point.squaredNorm;
}

function fixed({ learningRate }: InnerOptions, steps: number, tolerance: number, linear: boolean): InnerSolver {
  if (learningRate === undefined && !linear) {
    throw new ValueError("inner: the fixed step needs learningRate; only for linear models it is known to be 1/beta");
  }
  if (learningRate !== undefined) requirePositive("inner", "learningRate", learningRate);
  if (!linear && learningRate !== undefined) return byOptimizer(sgd({ learningRate }), steps, tolerance);
  return async (problem, start) => {
    const length = learningRate ?? 1 / quadraticSmoothness(problem);
    const small = smallSquare(tolerance, start);
    let point = start;
    let best = start;
    for (let s = 0; s < steps; s++) {
      if (point.squaredNorm <= small) return { params: best.params, steps: s };
      point = await problem.advance(point, length);
      if (point.value <= best.value) best = point;
    }
    return { params: best.params, steps };
  };
}

/** beta of a linear model's surrogate: the largest eigenvalue of X^T D X / b, for D one number or bounded by its largest. */
function quadraticSmoothness({ x, surrogate }: InnerProblem): number {
  const D = Array.from(surrogate.D.data()).reduce((most, value) => Math.max(most, value), 0);
  return (D * largestSquaredSingularValue(x)) / surrogate.z0.shape[0];
}

const singularValues = new WeakMap<object, number>();

function largestSquaredSingularValue(x: unknown): number {
  let known = singularValues.get(x as object);
  if (known === undefined) {
    known = linalg.svdvals(asTensor(x as TensorLike, "float64")).data()[0] ** 2;
    singularValues.set(x as object, known);
  }
  return known;
}

function byOptimizer(optimizer: GradientTransformation, steps: number, tolerance: number): InnerSolver {
  return async (problem, start) => {
    const small = smallSquare(tolerance, start);
    let params = start.params;
    let state: unknown = optimizer.init((await onHost(params)) as tree.Tree);
    let best: { readonly params: unknown; readonly value: number } = start;
    for (let s = 0; s < steps; s++) {
      const next = await problem.stepBy(optimizer, params, state);
      if (next.value <= best.value) best = { params, value: next.value };
      if (next.squaredNorm <= small) return { params: best.params, steps: s };
      ({ params, state } = next);
    }
    const { value } = await problem.at(params);
    return { params: value <= best.value ? params : best.params, steps };
  };
}

function quasiNewton(steps: number, tolerance: number): InnerSolver {
  return async (problem, start) => {
    const { x, iterations } = await minimizeLbfgs(
      (params: unknown) => problem.valueAndGradient(params),
      await onHost(start.params),
      { maxIterations: steps, gradientTolerance: Math.sqrt(smallSquare(tolerance, start)) },
    );
    return { params: x, steps: iterations };
  };
}

function exact(ridge: number, linear: boolean): InnerSolver {
  if (!linear) throw new ValueError("inner: the exact solver is for linear models; take armijo, or linearModel");
  requireNonNegative("inner", "ridge", ridge);
  const inverses = new WeakMap<object, Tensor>();
  return (problem, start) => {
    const x = problem.x as Tensor;
    const W = start.params as Tensor;
    const { D, grad } = problem.surrogate;
    if (Array.from(D.data()).some((value) => !(value > 0))) {
      throw new ValueError("inner: the exact solver needs a positive D; this metric's has other entries, take armijo");
    }
    if (D.rank !== 0) return { params: exactStep(W, x, grad, D, { ridge }), steps: 1 };
    let inverse = inverses.get(x);
    if (inverse === undefined) {
      inverse = regularisedInverse(asTensor(x, "float64"), ridge);
      inverses.set(x, inverse);
    }
    return { params: exactStep(W, x, grad, D.item(), { ridge }, inverse), steps: 1 };
  };
}
