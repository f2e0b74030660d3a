import {
  hostTensor,
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
import { type CboProblem, feasible, readTensor, settleProblem } from "./problem.js";

/** Options of `gradientDescent`. */
export interface GradientDescentOptions {
  /** Where it starts, `[d]`, or `[chains, d]` for several independent runs at once. */
  x0: TensorLike;
  /** Learning rate, > 0. Default 1. */
  lr?: number;
  /** Time step, > 0. Default 1e-3. */
  dt?: number;
  /** K, >= 0. Default 10 000. */
  steps?: number;
  /** Strength of the annealed noise `(sigma / ln(k + 1)) sqrt(dt) Z`, >= 0. Default 0, which is gradient descent. */
  langevinSigma?: number;
  /** Where gradients come from. Default automatic differentiation, or central differences where that is not possible. */
  gradient?: GradientSource;
  /** Seed of the noise. Default 0. */
  seed?: number | string;
  /** The path has a point for every so many steps, >= 1. Default so that it has about 500. */
  recordEvery?: number;
  /** Called whenever a point is recorded, and awaited; `"stop"` ends the run there. */
  onProgress?: (progress: { readonly step: number; readonly steps: number }) => unknown;
  /** Stops before the next step; the result is what there is. */
  signal?: AbortSignal;
}

/** Where the descent went. */
export interface GradientDescentResult {
  /** The last point, of the shape of `x0` (float64). */
  readonly x: Tensor;
  /** E there: a number, or one for each chain as `[chains]`. */
  readonly objective: number | Float64Array;
  /** All steps made; stopped by `onProgress` or the signal; or the point left the range of numbers. */
  readonly status: "completed" | "stopped" | "aborted" | "diverged";
  /** Steps made. */
  readonly iterations: number;
  /** Recorded steps, and the points after them: `[records, ...shape of x0]`, the start included. */
  readonly history: { readonly step: Int32Array; readonly path: Tensor };
  /** Evaluations of E for gradients, one for a derivative, 2 d for differences, and for the last objective. */
  readonly evaluations: number;
}

/**
 * Gradient descent and annealed Langevin dynamics, to compare with:
 *
 *     x <- x - lr dt grad E(x) + (sigma / ln(k + 1)) sqrt(dt) Z,     k = 1, 2, ...
 *
 * @throws ValueError and ShapeError for options out of range.
 * @example
 * ```ts
 * import { gradientDescent } from "@offprint/cbo";
 * import { square, sum, type Tensor } from "@offprint/tensor-core";
 *
 * const problem = { objective: (v: Tensor) => sum(square(v), { axis: 1 }) };
 * const { x } = await gradientDescent(problem, { x0: [1, 2], dt: 0.1, steps: 100 });
 * console.log(String(x));
 * ```
 */
export async function gradientDescent(
  problem: CboProblem,
  options: GradientDescentOptions,
): Promise<GradientDescentResult> {
  const owner = "gradientDescent";
  const { lr = 1, dt = 1e-3, steps = 10_000, langevinSigma = 0, seed = 0, signal, onProgress } = options;
  const recordEvery = options.recordEvery ?? Math.max(1, Math.floor(steps / 500));
  requirePositive(owner, "lr", lr);
  requirePositive(owner, "dt", dt);
  requireInteger(owner, "steps", steps, 0);
  requireNonNegative(owner, "langevinSigma", langevinSigma);
  requireInteger(owner, "recordEvery", recordEvery, 1);
  const x0 = readTensor(owner, "x0", options.x0);
  const settled = settleProblem(owner, problem, [x0]);
  const { evaluator, dimension: d } = settled;
  if (x0.rank < 1 || x0.rank > 2 || x0.shape[x0.rank - 1] !== d) {
    throw new ShapeError(`${owner}: x0 has shape [${x0.shape}]; give [${d}], or [chains, ${d}]`);
  }
  if (x0.size === 0) throw new ValueError(`${owner}: x0 holds no chain; give at least one point`);
  const chains = x0.size / d;
  const points = (values: Float64Array) => hostTensor(values, [chains, d], "float64");
  const gradient = gradientOf(owner, evaluator, d, options.gradient);
  const rng = random.rng(seed);
  const constrained = settled.box !== undefined || settled.project !== undefined;
  const path: Float64Array[] = [];
  const recorded: number[] = [];
  let x = Float64Array.from(x0.data());
  let status: GradientDescentResult["status"] = "completed";
  let k = 0;
  for (; ; k++) {
    if (k % recordEvery === 0 || k === steps) {
      path.push(x);
      recorded.push(k);
      if ((await onProgress?.({ step: k, steps })) === "stop" && k < steps) status = "stopped";
    }
    if (k === steps || status !== "completed") break;
    if (signal?.aborted) {
      status = "aborted";
      break;
    }
    const slope = gradient.at(points(x));
    const g = slope instanceof Promise ? await slope : slope;
    const next = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) next[i] = x[i] - lr * dt * g[i];
    if (langevinSigma > 0) {
      const scale = (langevinSigma / Math.log(k + 2)) * Math.sqrt(dt);
      const z = rng.normal([x.length], { dtype: "float64" }).data();
      for (let i = 0; i < x.length; i++) next[i] += scale * z[i];
    }
    if (!isFiniteSum(next)) {
      status = "diverged";
      break;
    }
    x = constrained ? Float64Array.from(feasible(settled, points(next), owner).data()) : next;
  }
  if (recorded[recorded.length - 1] !== k) {
    path.push(x);
    recorded.push(k);
  }
  const objective = Float64Array.from(await evaluator.evaluate(points(x)));
  const all = new Float64Array(path.length * x.length);
  path.forEach((values, r) => {
    all.set(values, r * x.length);
  });
  return {
    x: hostTensor(x, x0.shape, "float64"),
    objective: x0.rank === 1 ? objective[0] : objective,
    status,
    iterations: k,
    history: { step: Int32Array.from(recorded), path: hostTensor(all, [path.length, ...x0.shape], "float64") },
    evaluations: chains * (k * gradient.evaluations + 1),
  };
}

/** Whether all numbers are finite: a sum of finite ones that overflows has diverged as well. */
function isFiniteSum(x: Float64Array): boolean {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i];
  return Number.isFinite(sum);
}
