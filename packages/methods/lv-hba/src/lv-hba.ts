import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { figuresOf, type RunState, requireStateLike, runLoop, type Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  clip,
  div,
  grad,
  isTensor,
  jitSync,
  mul,
  NonFiniteError,
  random,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  scan,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import { ConstrainedProblem, violation } from "./constrained-problem.js";
import { type LvHbaOptions, readOptions } from "./options.js";
import { lagrangian, multiplierBounds, saddleEvaluation } from "./value-function.js";

/** What is told of an iteration. */
export interface LvHbaRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** The upper function after it (on its batch). */
  readonly upper: number;
  /** The lower function. */
  readonly lower: number;
  /** The largest violation of a constraint. */
  readonly feasibility: number;
  /** c_k, what the lower level weighs against the upper; infinity where the upper is left out. */
  readonly penalty: number;
  /** How far theta and lambda moved, over their step: how well they follow the saddle point. */
  readonly tracking: number;
  /** f - v, how far y is from solving the lower problem; at the iterations of `checkEvery`. */
  readonly gap?: number;
  /** How far from stationary; at the iterations of `checkEvery`. */
  readonly residual?: number;
  /** What `evaluate` gave. */
  readonly evaluation?: Readonly<Record<string, number>>;
}

/** Where a run stands; all are vectors. */
export interface LvHbaPoint {
  /** `[dx]` */
  readonly x: Tensor;
  /** `[dy]` */
  readonly y: Tensor;
  /** The centre of the multipliers, `[l]`. */
  readonly z: Tensor;
  /** The saddle point's lower variables, `[dy]`. */
  readonly theta: Tensor;
  /** Its multipliers, of the scaled constraints, `[l]`. */
  readonly lambda: Tensor;
  /** What was told of the last iteration; null before the first. */
  readonly told: Omit<LvHbaRecord, "iteration" | "evaluation"> | null;
  /** Iterations in a row in which `tracking` grew. */
  readonly growing: number;
  /** What the constraints are divided by, `[l]`. */
  readonly scale: Tensor;
}

/** A state to go on from; a tree. */
export type LvHbaState = RunState<LvHbaPoint, LvHbaRecord>;

/** What {@link lvHba} gives. */
export interface LvHbaResult<X, Y> {
  /** The last upper variables. */
  readonly x: X;
  /** The last lower variables. */
  readonly y: Y;
  /** The multipliers of the constraints as they were given, `[l]`. */
  readonly multipliers: Tensor;
  /** The saddle point's lower variables. */
  readonly theta: Y;
  /** Iterations done. */
  readonly iterations: number;
  /** `converged` where an evaluation found all tolerances met. */
  readonly status: Status;
  /** The record of every iteration. */
  readonly history: readonly LvHbaRecord[];
  /** What looks wrong, such as a saddle point that is not followed; null for nothing. */
  readonly warning: string | null;
  /** What `resume` goes on from. */
  readonly state: LvHbaState;
}

/**
 * LV-HBA (Yao, Yu, Zeng and Zhang 2024): bilevel problems whose lower level has constraints that couple x and y, by first
 * derivatives alone, in a single loop. The lower level becomes `f(x, y) - v(x, y, z) <= 0` with the proximal Lagrangian
 * value function v, which is penalised: `F / c_k + f - v`. Each iteration makes one step on the saddle point that v
 * is the value of, and one projected step on (x, y, z). The lower level may have many solutions: the best one for F is found.
 * @throws ValueError, ShapeError for problems and options that are none; NonFiniteError, with the last good state, where it
 * diverges.
 * @see https://arxiv.org/abs/2401.16164
 * @example
 * const { x, y } = await lvHba(svmHyperParameters(data), { maxIterations: 2000 });
 */
export async function lvHba<X, Y, U = null, L = U>(
  problem: ConstrainedBilevelProblem<X, Y, U, L>,
  options: LvHbaOptions<X, Y>,
): Promise<LvHbaResult<X, Y>> {
  const owner = "lvHba";
  const settings = readOptions(owner, options, problem?.sample !== undefined);
  const read = new ConstrainedProblem(owner, problem);
  const { vectors } = read;
  const kept = options.resume?.inner?.scale;
  const scale = isTensor(kept) ? kept : read.scaleOf(settings.scaleConstraints);
  const step = iterationOf(read, scale, settings);
  const assess = assessmentOf(read, scale, settings);
  const { checkEvery, tolerance, seed, evaluate } = settings;
  const checks = (iteration: number) => checkEvery !== undefined && iteration % checkEvery === 0;
  const float64 = { dtype: "float64" } as const;
  const run = await runLoop<LvHbaPoint, LvHbaRecord>(
    {
      owner,
      limit: settings.maxIterations,
      initial: () => begin(read, options.initial, settings.r, scale),
      async step(point, iteration) {
        const k = iteration - 1;
        const inverse = settings.inversePenalty(k);
        const rates = {
          alpha: settings.alpha(iteration),
          alphaX: settings.alphaX(iteration),
          beta: settings.beta(iteration),
        };
        const draw = vectors.draw(random.rng(`${seed}/iteration/${iteration}`));
        const { x, y, z, theta, lambda } = point;
        const numbers = { ...rates, eta: settings.eta(iteration), inverse: tensor(inverse, float64) };
        const next = step({ x, y, z, theta, lambda }, numbers, draw.upper(), draw.lower());
        const { upper, lower, feasibility, tracking, ...moved } = next;
        const seen = [upper, lower, feasibility, tracking].map((value) => value.item());
        if (!seen.every(Number.isFinite)) {
          throw new NonFiniteError(`an objective or the saddle point is not finite; ${remedyFor(read.curvature())}`);
        }
        const growing = point.told !== null && seen[3] > point.told.tracking ? point.growing + 1 : 0;
        const told = { upper: seen[0], lower: seen[1], feasibility: seen[2], penalty: 1 / inverse, tracking: seen[3] };
        const extra = checks(iteration) ? await assess(moved, inverse, rates.alpha.item()) : {};
        return {
          ...moved,
          told: { ...told, ...extra },
          growing,
          scale,
        };
      },
      async record(point, iteration) {
        if (point.told === null) return undefined;
        const record = { iteration, ...point.told };
        if (evaluate === undefined) return record;
        const place = { x: vectors.x.unravel(point.x), y: vectors.y.unravel(point.y) };
        return { ...record, evaluation: await figuresOf(owner, "evaluate", evaluate(place, iteration)) };
      },
      finished({ told }) {
        if (tolerance === undefined || told?.residual === undefined || told.gap === undefined) return undefined;
        const { feasibilityTolerance, gapTolerance } = settings;
        const met = told.residual <= tolerance && told.feasibility <= feasibilityTolerance && told.gap <= gapTolerance;
        return met ? "converged" : undefined;
      },
      check: (point) => requireStateLike(owner, point, begin(read, options.initial, settings.r, read.scaleOf("none"))),
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  return {
    x: vectors.x.unravel(last.x),
    y: vectors.y.unravel(last.y),
    theta: vectors.y.unravel(last.theta),
    multipliers: div(last.lambda, scale),
    ...{ iterations, status, history, state, warning: warningOf(last.growing, settings.p) },
  };
}

type Settings = Omit<ReturnType<typeof readOptions>, "evaluate">;

interface Variables {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly z: Tensor;
  readonly theta: Tensor;
  readonly lambda: Tensor;
}

interface Rates {
  readonly alpha: Tensor;
  readonly alphaX: Tensor;
  readonly beta: Tensor;
  readonly eta: Tensor;
  /** 1 / c_k */
  readonly inverse: Tensor;
}

/** One iteration, compiled; the projection in it. */
function iterationOf<X, Y, U, L>(read: ConstrainedProblem<X, Y, U, L>, scale: Tensor, settings: Settings) {
  const { vectors } = read;
  const { gamma1, gamma2, r, saddleSteps } = settings;
  const parts = lagrangian(read, scale, settings);
  const { lower, upper } = multiplierBounds(read.equations, r);
  return jitSync(({ x, y, z, theta, lambda }: Variables, rates: Rates, above: U, below: L) => {
    const saddleStep = (at: { theta: Tensor; lambda: Tensor }) => {
      const slope = parts.slopes(x, y, z, at, below);
      return {
        theta: read.projectY(sub(at.theta, mul(rates.eta, slope.theta))),
        lambda: clip(sub(at.lambda, mul(rates.eta, slope.lambda)), lower, upper),
      };
    };
    const first = saddleStep({ theta, lambda });
    const body = (at: typeof first): [typeof first, null] => [saddleStep(at), null];
    const saddle = saddleSteps === 1 ? first : scan(body, first, null, { length: saddleSteps - 1 })[0];
    const ahead = grad((at: { x: Tensor; y: Tensor }) => vectors.upper(at.x, at.y, above))({ x, y });
    const here = grad((at: { x: Tensor; y: Tensor }) => vectors.lower(at.x, at.y, below))({ x, y });
    const there = grad((at: Tensor) => parts.withMultipliers(at, saddle.theta, saddle.lambda, below))(x);
    const dx = sub(add(mul(ahead.x, rates.inverse), here.x), there);
    const dy = sub(add(mul(ahead.y, rates.inverse), here.y), div(sub(y, saddle.theta), gamma1));
    const next = read.project(sub(x, mul(rates.alphaX, dx)), sub(y, mul(rates.alpha, dy)));
    const moved = add(sum(square(sub(first.theta, theta))), sum(square(sub(first.lambda, lambda))));
    return {
      ...{ x: next.x, y: next.y, theta: saddle.theta, lambda: saddle.lambda },
      z: clip(add(z, mul(rates.beta, div(sub(saddle.lambda, z), gamma2))), lower, upper),
      upper: vectors.upper(next.x, next.y, above),
      lower: vectors.lower(next.x, next.y, below),
      feasibility: violation(read.rawConstraints(next.x, next.y), read.equations),
      tracking: div(sqrt(moved), rates.eta),
    };
  });
}

/** Gap and residual with a solved saddle point. */
function assessmentOf<X, Y, U, L>(
  read: ConstrainedProblem<X, Y, U, L>,
  scale: Tensor,
  settings: Pick<Settings, "gamma1" | "gamma2" | "r" | "eta">,
) {
  const { vectors } = read;
  const { gamma1, gamma2, r } = settings;
  const { lower, upper } = multiplierBounds(read.equations, r);
  const evaluation = saddleEvaluation(read, scale, settings);
  const gradients = jitSync((x: Tensor, y: Tensor, above: U, below: L) => ({
    upper: grad((at: { x: Tensor; y: Tensor }) => vectors.upper(at.x, at.y, above))({ x, y }),
    lower: grad((at: { x: Tensor; y: Tensor }) => vectors.lower(at.x, at.y, below))({ x, y }),
  }));
  return async ({ x, y, z, theta, lambda }: Variables, inverse: number, alpha: number) => {
    const { full } = vectors;
    const descent = { eta: settings.eta(1).item(), tolerance: 1e-9, maxIterations: 20_000 };
    const saddle = await evaluation.descend({ x, y, z }, { theta, lambda }, full.lower, descent);
    const measured = evaluation.measure({ x, y, z }, saddle, full.lower);
    const slopes = gradients(x, y, full.upper, full.lower);
    const dx = sub(add(mul(slopes.upper.x, inverse), slopes.lower.x), measured.gradX);
    const dy = sub(add(mul(slopes.upper.y, inverse), slopes.lower.y), div(sub(y, saddle.theta), gamma1));
    const next = read.project(sub(x, mul(dx, alpha)), sub(y, mul(dy, alpha)));
    const nextZ = clip(add(z, mul(div(sub(saddle.lambda, z), gamma2), alpha)), lower, upper);
    const squares = [sub(next.x, x), sub(next.y, y), sub(nextZ, z)].map((d) => sum(square(d)).item());
    const moved = Math.sqrt(squares.reduce((a, b) => a + b, 0));
    return {
      gap: measured.lower.item() - measured.value.item(),
      residual: moved / (alpha * (inverse > 0 ? inverse : 1)),
    };
  };
}

function begin<X, Y, U, L>(
  read: ConstrainedProblem<X, Y, U, L>,
  initial: LvHbaOptions<X, Y>["initial"],
  r: number,
  scale: Tensor,
): LvHbaPoint {
  const { lower, upper } = multiplierBounds(read.equations, r);
  checkOptions("lvHba: initial", initial, ["theta", "lambda", "z"]);
  const multipliers = (name: string, given: TensorLike | undefined): Tensor => {
    if (given === undefined) return mul(read.equations, 0);
    const vector = isTensor(given) ? given : tensor(given, { dtype: "float64" });
    if (vector.rank === 1 && vector.size === read.count) return clip(mul(vector, scale), lower, upper);
    throw new ShapeError(`lvHba: initial.${name} has shape [${vector.shape}]; there are ${read.count} constraints`);
  };
  const { x, y } = read.initial;
  const theta = initial?.theta === undefined ? y : read.vectors.y.ravel(initial.theta);
  return {
    ...{
      x,
      y,
      theta: read.projectY(theta),
      lambda: multipliers("lambda", initial?.lambda),
      z: multipliers("z", initial?.z),
    },
    ...{ told: null, growing: 0, scale },
  };
}

/** What a run that diverged calls for, by the norm of the lower function's second derivatives. */
function remedyFor(curvature: number): string {
  const smaller = "take smaller steps, or scale the constraints";
  if (!(curvature > 10 && curvature < Infinity)) return smaller;
  const size = curvature.toPrecision(2);
  return (
    `second derivatives of the lower function are about ${size} at the beginning, and steps are made for 1: divide the upper ` +
    `and the lower function by ${size}, which divides multipliers by it too, or ${smaller}`
  );
}

function warningOf(growing: number, p: number): string | null {
  if (growing >= 50) {
    return (
      `theta and lambda moved ever farther in the last ${growing} iterations: they do not follow the saddle point; take a ` +
      "smaller eta or gamma1, or scale the constraints"
    );
  }
  return p >= 0.5 ? `p is ${p}: the paper's bounds are for p below 1/2` : null;
}

/** Options of {@link lvHbaResidual}. */
export interface LvHbaResidualOptions {
  /** c_k. */
  readonly penalty: number;
  /** Length of the trial step, > 0. Default 0.05. */
  readonly alpha?: number;
  /** Step of the saddle point's iteration, > 0. Default 0.1. */
  readonly eta?: number;
  /** Proximal weights, > 0. Default 10. */
  readonly gamma1?: number;
  /** Of the multipliers. Default 10. */
  readonly gamma2?: number;
  /** Bound of the multipliers, > 0. Default 1e4. */
  readonly r?: number;
  /** As of `lvHba`. */
  readonly scaleConstraints?: "auto" | "none" | readonly number[];
}

/**
 * How far a point is from stationary: `c_k |w - Proj(w - t d)| / t` for w = (x, y, z), with the direction d at the solved
 * saddle point; and the lower level's gap f - v.
 * @throws ValueError, ShapeError for what does not fit.
 */
export async function lvHbaResidual<X, Y, U = null, L = U>(
  problem: ConstrainedBilevelProblem<X, Y, U, L>,
  point: { readonly x: X; readonly y: Y; readonly z: TensorLike },
  options: LvHbaResidualOptions,
): Promise<{ readonly residual: number; readonly gap: number }> {
  requireObject("lvHbaResidual", "problem", problem, "{ constraints, projectJointly, initial, upper, lower }");
  requireObject("lvHbaResidual", "point", point, "{ x, y, z }");
  const owner = "lvHbaResidual";
  checkOptions(owner, options, ["penalty", "alpha", "eta", "gamma1", "gamma2", "r", "scaleConstraints"], ["penalty"]);
  const { penalty, alpha = 0.05, ...rest } = options;
  requirePositive(owner, "penalty", penalty);
  requirePositive(owner, "alpha", alpha);
  const settings = readOptions(owner, { ...rest, maxIterations: 0 });
  const read = new ConstrainedProblem(owner, problem);
  const scale = read.scaleOf(settings.scaleConstraints);
  const [x, y] = [read.vectors.x.ravel(point.x), read.vectors.y.ravel(point.y)];
  const z = isTensor(point.z) ? point.z : tensor(point.z, { dtype: "float64" });
  requireInteger(owner, "the size of z", z.size, read.count, read.count);
  return assessmentOf(read, scale, settings)({ x, y, z, theta: y, lambda: z }, 1 / penalty, alpha);
}
