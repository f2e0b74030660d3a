import {
  armijoSearch,
  conjugateGradientsSync,
  type RunOptions,
  type RunState,
  requireStateLike,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  checkOptions,
  dot,
  linalg,
  NonFiniteError,
  random,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { compiledDerivatives } from "./compiled-derivatives.js";
import type { BilevelProblem } from "./problem.js";
import { VectorProblem } from "./vector-problem.js";
import { minus, plus } from "./vector-steps.js";

/** What is told of an iteration of {@link solveLower}. */
export interface LowerRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** Norm of the gradient of `lower` on all data; of `sgd` on the drawn batch. */
  readonly gradientNorm: number;
}

/** Where {@link solveLower} stands. */
export interface LowerPoint {
  /** `[dy]`. */
  readonly y: Tensor;
  /** Norm of the gradient there, or of the drawn one before; null before the first. */
  readonly gradientNorm: number | null;
  /** No step lowers the function any more. */
  readonly stuck: boolean;
}

/** Options of {@link solveLower}. */
export interface SolveLowerOptions<Y> extends RunOptions<LowerRecord, RunState<LowerPoint, LowerRecord>> {
  /** Newton's method with conjugate gradients, gradient descent, or stochastic gradient descent. Default `newton`. */
  readonly method?: "newton" | "gradientDescent" | "sgd";
  /** Where y begins. Default the problem's. */
  readonly initial?: Y;
  /** Converged when the gradient's norm is at most this part of that at the problem's `initial.y` (not `sgd`). Default 1e-10. */
  readonly tolerance?: number;
  /** Iterations at most. Default 100 for Newton's method, else 1000. */
  readonly maxIterations?: number;
  /** The step of the descents. Default 0.1. */
  readonly stepSize?: number;
  /** Decides which batches `sgd` draws. Default 0. */
  readonly seed?: number | string;
}

/** What {@link solveLower} gives. */
export interface LowerSolution<Y> {
  /** The minimiser found. */
  readonly y: Y;
  /** Norm of the gradient of `lower` there, on all data (of `sgd` on the last batch). */
  readonly gradientNorm: number;
  /** Iterations done. */
  readonly iterations: number;
  /** How it ended; `inaccurate` where rounding keeps every step from lowering the function. */
  readonly status: Status | "inaccurate";
  /** The record of every iteration. */
  readonly history: readonly LowerRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<LowerPoint, LowerRecord>;
}

const names = ["method", "initial", "tolerance", "maxIterations", "stepSize", "seed", ...runOptionNames];

/** What the methods do not look at. */
const idle = { newton: ["stepSize", "seed"], gradientDescent: ["seed"], sgd: ["tolerance"] } as const;

/**
 * Minimises `lower(x, .)` for one x, without the sets of `project`.
 * @throws NonFiniteError, with the last good state, where the descent diverges.
 * @example
 * const { y } = await solveLower(problem, x);
 */
export async function solveLower<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  x: X,
  options: SolveLowerOptions<Y> = {},
): Promise<LowerSolution<Y>> {
  const owner = "solveLower";
  checkOptions(owner, options, names);
  const { method = "newton", tolerance = 1e-10, stepSize = 0.1, seed = 0 } = options;
  const { maxIterations = method === "newton" ? 100 : 1000 } = options;
  requireChoice(owner, "method", method, ["newton", "gradientDescent", "sgd"]);
  refuseIdle(owner, `method "${method}"`, options, idle[method]);
  requireNonNegative(owner, "tolerance", tolerance);
  requirePositive(owner, "stepSize", stepSize);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const vectors = new VectorProblem(owner, problem);
  const point = vectors.x.ravel(x);
  const lower = lowerAt(vectors, point, method === "sgd" ? undefined : vectors.full.lower);
  const norm = (y: Tensor) => (method === "sgd" ? null : linalg.norm(lower.valueAndGradient(y)[1]).item());
  // The unit of the gradient; where the problem begins at its minimiser there is none.
  const given = norm(vectors.initial.y);
  const unit = given === null || given === 0 ? 1 : given;
  if (!Number.isFinite(unit)) {
    throw new NonFiniteError(
      `${owner}: the gradient of lower at the problem's y has norm ${unit}; look at lower there, or write it in other units`,
    );
  }
  const step = (y: Tensor, iteration: number): { y: Tensor; gradientNorm: number; stuck: boolean } => {
    if (method === "newton") return newtonStep(lower, y, unit);
    const batch = method === "sgd" ? vectors.draw(random.rng(`${seed}/${iteration}`)).lower() : undefined;
    const [, gradient] = lower.valueAndGradient(y, batch);
    const next = minus(y, stepSize, gradient);
    const gradientNorm = linalg.norm(batch === undefined ? lower.valueAndGradient(next)[1] : gradient).item();
    return { y: next, gradientNorm, stuck: false };
  };
  const first = options.initial === undefined ? vectors.initial.y : vectors.y.ravel(options.initial);
  const { status, iterations, history, last, state } = await runLoop<
    LowerPoint,
    LowerRecord,
    "converged" | "inaccurate"
  >(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ y: first, gradientNorm: norm(first), stuck: false }),
      step({ y }, iteration) {
        const next = step(y, iteration);
        if (Number.isFinite(next.gradientNorm)) return next;
        throw new NonFiniteError(
          `the gradient's norm is ${next.gradientNorm}: the descent diverged; take a smaller stepSize`,
        );
      },
      record: ({ gradientNorm }, iteration) => (gradientNorm === null ? undefined : { iteration, gradientNorm }),
      finished({ gradientNorm, stuck }) {
        if (method !== "sgd" && gradientNorm !== null && gradientNorm <= tolerance * unit) return "converged";
        return stuck ? "inaccurate" : undefined;
      },
      check: (point) => requireStateLike(owner, point, { y: first, stuck: false }),
    },
    options,
  );
  return {
    y: vectors.y.unravel(last.y),
    gradientNorm: last.gradientNorm ?? Number.NaN,
    ...{ iterations, status, history, state },
  };
}

/** `lower(x, .)` with its derivatives, compiled. */
interface LowerFunction<L> {
  valueAndGradient(y: Tensor, batch?: L): [number, Tensor];
  productAt(y: Tensor): (v: Tensor) => Tensor;
}

function lowerAt<X, Y, U, L>(vectors: VectorProblem<X, Y, U, L>, x: Tensor, all: L | undefined): LowerFunction<L> {
  const compiled = compiledDerivatives(vectors);
  return {
    valueAndGradient(y, batch = all as L) {
      const [value, gradient] = compiled.lower({ x, y }, batch);
      return [value.item(), gradient];
    },
    productAt: (y) => compiled.hessianProducts({ x, y }, all as L),
  };
}

/** A step of Newton's method: conjugate gradients as accurate as the gradient is small, and backtracking. */
function newtonStep<L>(lower: LowerFunction<L>, y: Tensor, unit: number) {
  const [value, gradient] = lower.valueAndGradient(y);
  const norm = linalg.norm(gradient).item();
  const part = norm / unit;
  const product = lower.productAt(y);
  const { x } = conjugateGradientsSync(
    (v, out) => {
      out.set(product(tensor(v.slice(), { dtype: y.dtype })).data());
    },
    Float64Array.from(gradient.data()),
    { tolerance: Math.min(1e-2, part) || 1e-2 },
  );
  const direction = tensor(x, { dtype: y.dtype });
  const at = (step: number) => {
    const moved = plus(y, -step, direction);
    const [there, slope] = lower.valueAndGradient(moved);
    return { step, value: there, y: moved, gradientNorm: linalg.norm(slope).item() };
  };
  // Near the minimum rounding hides the decrease of the function, and that of the gradient is still seen.
  const whole = at(1);
  if (whole.gradientNorm <= norm / 2) return { y: whole.y, gradientNorm: whole.gradientNorm, stuck: false };
  const slope = -dot(gradient, direction).item();
  const found = slope < 0 ? armijoSearch(at, { value, slope }) : undefined;
  if (found !== undefined) return { y: found.y, gradientNorm: found.gradientNorm, stuck: false };
  if (whole.gradientNorm < norm) return { y: whole.y, gradientNorm: whole.gradientNorm, stuck: false };
  return { y, gradientNorm: norm, stuck: true };
}
