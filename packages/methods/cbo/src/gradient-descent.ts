import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  hostTensor,
  NonFiniteError,
  random,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type GradientSource, gradientOf } from "./gradient.js";
import { type CboProblem, feasible, readTensor, requireGiven, settleProblem } from "./problem.js";

/** Where a descent has come to. */
export interface DescentRecord {
  /** Steps made. */
  readonly iteration: number;
  /** The point, of the size of `initial`. */
  readonly x: Float64Array;
}

/** Where a descent stands, as a tree. */
export interface DescentState {
  /** The point, or the points of all chains. */
  readonly x: Float64Array;
}

/** Options of `gradientDescent`. */
export interface GradientDescentOptions extends RunOptions<DescentRecord, RunState<DescentState, DescentRecord>> {
  /** Where it starts, `[d]`, or `[chains, d]` for several independent runs at once; put into the constraints as every step is. */
  readonly initial: TensorLike;
  /** Learning rate, > 0. Default 1. */
  readonly learningRate?: number;
  /** Time step, > 0. Default 1e-3. */
  readonly dt?: number;
  /** K, >= 0. Default 10 000. */
  readonly maxIterations?: number;
  /** Strength of the annealed noise `(sigma / ln(k + 1)) sqrt(dt) Z`, >= 0. Default 0, which is gradient descent. */
  readonly langevinSigma?: number;
  /** Where gradients come from. Default automatic differentiation, or central differences where that is not possible. */
  readonly gradient?: GradientSource;
  /** Seed of the noise, which is a function of it and of the step. Default 0. */
  readonly seed?: number | string;
  /** A record is made every so many steps, >= 1. Default so that there are about 500. */
  readonly recordEvery?: number;
}

/** Where the descent went. */
export interface GradientDescentResult {
  /** The last point, of the shape of `initial` (float64). */
  readonly x: Tensor;
  /** E there: a number, or one for each chain as `[chains]`. */
  readonly objective: number | Float64Array;
  /** How it ended: it never converges. */
  readonly status: Exclude<Status, "converged">;
  /** Steps made. */
  readonly iterations: number;
  /** The recorded steps. */
  readonly history: readonly DescentRecord[];
  /** The start and the recorded points, `[records + 1, ...shape of initial]`. */
  readonly path: Tensor;
  /** Evaluations of E for gradients, one for a derivative, 2 d for differences, and for the last objective. */
  readonly evaluations: number;
  /** To go on from, with `resume`. */
  readonly state: RunState<DescentState, DescentRecord>;
}

const optionNames = [
  "initial",
  "learningRate",
  "dt",
  "maxIterations",
  "langevinSigma",
  "gradient",
  "seed",
  "recordEvery",
  ...runOptionNames,
] as const satisfies readonly (keyof GradientDescentOptions)[];

/** Steps whose noise is drawn at once. */
const DRAWN = 64;

/**
 * Gradient descent and annealed Langevin dynamics, to compare with:
 *
 *     x <- x - learningRate dt grad E(x) + (sigma / ln(k + 1)) sqrt(dt) Z,     k = 1, 2, ...
 *
 * @throws ValueError and ShapeError for options out of range; NonFiniteError, with the last good state, where the point
 * leaves the range of numbers.
 * @example
 * ```ts
 * import { gradientDescent } from "@offprint/cbo";
 * import { square, sum, type Tensor } from "@offprint/tensor-core";
 *
 * const problem = { objective: (v: Tensor) => sum(square(v), { axis: 1 }) };
 * const { x } = await gradientDescent(problem, { initial: [1, 2], dt: 0.1, maxIterations: 100 });
 * console.log(String(x));
 * ```
 */
export async function gradientDescent(
  problem: CboProblem,
  options: GradientDescentOptions,
): Promise<GradientDescentResult> {
  const owner = "gradientDescent";
  requireGiven(owner, options, ["initial"]);
  checkOptions(owner, options, optionNames);
  const { learningRate = 1, dt = 1e-3, maxIterations = 10_000, langevinSigma = 0, seed = 0 } = options;
  const recordEvery = options.recordEvery ?? Math.max(1, Math.floor(maxIterations / 500));
  requirePositive(owner, "learningRate", learningRate);
  requirePositive(owner, "dt", dt);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireNonNegative(owner, "langevinSigma", langevinSigma);
  requireInteger(owner, "recordEvery", recordEvery, 1);
  const initial = readTensor(owner, "initial", options.initial);
  const settled = settleProblem(owner, problem, { initial });
  const { evaluator, dimension: d } = settled;
  const { shape, size } = initial;
  if (initial.rank < 1 || initial.rank > 2 || shape[initial.rank - 1] !== d) {
    throw new ShapeError(`${owner}: initial has shape [${shape}]; give [${d}], or [chains, ${d}]`);
  }
  if (size === 0) throw new ValueError(`${owner}: initial holds no chain; give at least one point`);
  const chains = size / d;
  const points = (values: Float64Array) => hostTensor(values, [chains, d], "float64");
  const gradient = gradientOf(owner, evaluator, d, options.gradient);
  const noise = noiseOf(seed, size);
  const constrained = settled.box !== undefined || settled.project !== undefined;
  const inside = (x: Float64Array) => (constrained ? Float64Array.from(feasible(settled, points(x), owner).data()) : x);
  const start = inside(Float64Array.from(initial.data()));
  const moved = (x: Float64Array, slope: ArrayLike<number>, k: number): DescentState => {
    const next = new Float64Array(size);
    for (let i = 0; i < size; i++) next[i] = x[i] - learningRate * dt * slope[i];
    if (langevinSigma > 0) {
      const scale = (langevinSigma / Math.log(k + 1)) * Math.sqrt(dt);
      const z = noise(k);
      for (let i = 0; i < size; i++) next[i] += scale * z[i];
    }
    if (!isFiniteSum(next)) {
      throw new NonFiniteError("the point left the range of numbers; lower learningRate or dt, or give bounds");
    }
    return { x: inside(next) };
  };
  const run = await runLoop<DescentState, DescentRecord, never>(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ x: start }),
      step({ x }, k) {
        const slope = gradient.at(points(x));
        return slope instanceof Promise ? slope.then((known) => moved(x, known, k)) : moved(x, slope, k);
      },
      record: ({ x }, iteration) =>
        iteration % recordEvery === 0 || iteration === maxIterations ? { iteration, x } : undefined,
      check({ x }) {
        if (x?.length !== size) {
          throw new ShapeError(
            `${owner}: resume holds no ${chains} points of ${d} coordinates; give the \`state\` of a result`,
          );
        }
        const odd = Array.from(x).find((value) => !Number.isFinite(value));
        if (odd !== undefined) throw new ValueError(`${owner}: resume.x holds ${String(odd)}; it must be finite`);
      },
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  const objective = Float64Array.from(await evaluator.evaluate(points(last.x)));
  const all = new Float64Array((history.length + 1) * size);
  all.set(start);
  history.forEach(({ x }, record) => {
    all.set(x, (record + 1) * size);
  });
  return {
    x: hostTensor(last.x, shape, "float64"),
    objective: initial.rank === 1 ? objective[0] : objective,
    ...{ status, iterations, history, state },
    path: hostTensor(all, [history.length + 1, ...shape], "float64"),
    evaluations: chains * (iterations * gradient.evaluations + 1),
  };
}

/** Standard normal numbers of step k = 1, 2, ...; many steps are drawn at once, as a small draw costs as much. */
function noiseOf(seed: number | string, size: number): (k: number) => ArrayLike<number> {
  let drawn: { block: number; values: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> } };
  return (k) => {
    const block = Math.floor((k - 1) / DRAWN);
    if (drawn?.block !== block) {
      const rng = random.rng(`${seed}/noise/${block}`);
      drawn = { block, values: rng.normal([DRAWN * size], { dtype: "float64" }).data() };
    }
    const from = ((k - 1) % DRAWN) * size;
    return drawn.values.subarray(from, from + size);
  };
}

/** Whether all numbers are finite: a sum of finite ones that overflows has diverged as well. */
function isFiniteSum(x: Float64Array): boolean {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i];
  return Number.isFinite(sum);
}
