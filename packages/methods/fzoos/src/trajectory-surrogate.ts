import { matern, type Radial, squaredExponential } from "@offprint/gaussian-process";
import { brentMinimize } from "@offprint/solvers";
import {
  ConvergenceError,
  checkOptions,
  hostTensor,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { scaledValues } from "./scaled-values.js";
import { type SurrogatePrograms, surrogatePrograms, type Trajectory } from "./surrogate-programs.js";

/** Kernels of the local surrogate. */
export type KernelName = "matern" | "squaredExponential";

/** The names of the kernels. */
export const kernelNames = ["matern", "squaredExponential"] as const;

/** Options of {@link trajectorySurrogate}. */
export interface TrajectoryOptions {
  /** Matern of smoothness 5/2 (default), or the squared exponential. */
  readonly kernel?: KernelName;
  /** Length scale, > 0 (default 1), or `"evidence"`: the most likely one between 0.01 and 100. */
  readonly length?: number | "evidence";
  /** Variance of the values over their range squared (default 1e-6), or the deviation of the noise in their own units. */
  readonly noise?: number | { readonly deviation: number };
  /** Rows that the compiled programs have room for, >= the number of queries (default that number). */
  readonly capacity?: number;
}

/** A Gaussian process of all queries, which is asked for gradients instead of the black box. Values are scaled to [0, 1] for it. */
export interface TrajectorySurrogate {
  /** Length scale in use. */
  readonly length: number;
  /** Largest value less the smallest: the unit of the process. 0 where all are equal; then its gradients are 0. */
  readonly range: number;
  /** The mean at x `[d]`, in the units of the values. */
  mean(x: TensorLike): number;
  /** `[d]` gradient of the mean at x `[d]`, in the units of the values. */
  gradient(x: TensorLike): Tensor;
  /** `[d, d]` covariance of the gradient at x, in units of the range squared. */
  gradientCovariance(x: TensorLike): Tensor;
  /** `[c]` its trace at each row of points `[c, d]`: where another query tells most. */
  uncertainty(points: TensorLike): Tensor;
}

/** The smallest diagonal that makes up for rounding, and the largest that is tried. */
const JITTER = { least: 1e-8, most: 1e-4 };
/** Bounds of the length scale that the evidence chooses. */
const LENGTHS = [1e-2, 1e2] as const;

const radials: Readonly<Record<KernelName, () => Radial>> = {
  matern: () => matern().radial!,
  squaredExponential: () => squaredExponential().radial!,
};

const compiled = new Map<KernelName, SurrogatePrograms>();

/** Compiled for each kernel once; versions for other shapes are added to it. */
function programsOf(kernel: KernelName): SurrogatePrograms {
  const known = compiled.get(kernel) ?? surrogatePrograms(radials[kernel]().profile);
  compiled.set(kernel, known);
  return known;
}

/**
 * The trajectory-informed surrogate of one client: a Gaussian process of the queries it has made, whose gradients cost
 * no query.
 *
 * @param x - `[n, d]` where the black box was asked.
 * @param y - `[n]` what it said.
 * @throws ShapeError, ValueError for queries that do not fit; ConvergenceError where the covariance cannot be factorised.
 * @example
 * const surrogate = trajectorySurrogate([[0, 0], [0.1, 0], [0, 0.1]], [0, 0.2, -0.1]);
 * surrogate.gradient([0.05, 0.05]);
 */
export function trajectorySurrogate(
  x: TensorLike,
  y: TensorLike,
  options: TrajectoryOptions = {},
): TrajectorySurrogate {
  const owner = "trajectorySurrogate";
  checkOptions(owner, options, ["kernel", "length", "noise", "capacity"]);
  const { kernel = "matern", length = 1, noise = 1e-6 } = options;
  requireChoice(owner, "kernel", kernel, kernelNames);
  if (length !== "evidence") requirePositive(owner, "length", length);
  if (typeof noise === "number") requireNonNegative(owner, "noise", noise);
  else requireNonNegative(owner, "noise.deviation", noise.deviation);
  const points = tensor(x, { dtype: "float64" });
  const values = tensor(y, { dtype: "float64" });
  const [n, d] = points.shape;
  if (points.rank !== 2 || values.rank !== 1 || values.shape[0] !== n || n === 0) {
    throw new ShapeError(
      `${owner}: x has shape [${points.shape}], y [${values.shape}]; they must be [n, d] and [n], n >= 1`,
    );
  }
  if (!points.data().every(Number.isFinite) || !values.data().every(Number.isFinite)) {
    throw new ValueError(`${owner}: x or y holds a number that is not finite; leave such queries out`);
  }
  const { capacity = n } = options;
  requireInteger(owner, "capacity", capacity, n);
  const { trajectory, least, range } = padded(points.data(), values.data(), d, capacity);
  const programs = programsOf(kernel);
  const deviation = typeof noise === "number" ? Math.sqrt(noise) : noise.deviation / (range > 0 ? range : 1);
  const factorised = <R>(run: (variance: Tensor) => R): R => withJitter(owner, deviation ** 2, run);
  const own = length === "evidence" ? mostLikelyLength(programs, trajectory, range, factorised) : length;
  const scale = scalar(own);
  const at = (place: TensorLike): Tensor => {
    const z = tensor(place, { dtype: "float64" });
    if (z.rank === 1 && z.size === d) return z;
    throw new ShapeError(`${owner}: the point has shape [${z.shape}]; it must be [${d}]`);
  };
  return {
    length: own,
    range,
    mean(place) {
      const z = at(place);
      return least + range * factorised((noiseAt) => programs.mean(trajectory, z, scale, noiseAt)).item();
    },
    gradient(place) {
      const z = at(place);
      if (range === 0) return hostTensor(new Float64Array(d), [d], "float64");
      return factorised((noiseAt) => programs.gradient(trajectory, z, scale, noiseAt, scalar(range)));
    },
    gradientCovariance(place) {
      const z = at(place);
      return factorised((noiseAt) => programs.gradientCovariance(trajectory, z, scale, noiseAt));
    },
    uncertainty(places) {
      const candidates = tensor(places, { dtype: "float64" });
      if (candidates.rank !== 2 || candidates.shape[1] !== d) {
        throw new ShapeError(`${owner}: points have shape [${candidates.shape}]; they must be [c, ${d}]`);
      }
      return factorised((noiseAt) => programs.uncertainty(trajectory, candidates, scale, noiseAt));
    },
  };
}

function scalar(value: number): Tensor {
  return hostTensor(Float64Array.of(value), [], "float64");
}

/** Rows of zeros behind the queries, which a mask leaves out: the programs are compiled once for all lengths. */
function padded(x: ArrayLike<number>, y: ArrayLike<number>, d: number, capacity: number) {
  const { scaled, least, range } = scaledValues(y);
  const [X, targets, mask] = [new Float64Array(capacity * d), new Float64Array(capacity), new Float64Array(capacity)];
  X.set(x);
  targets.set(scaled);
  mask.fill(1, 0, y.length);
  const trajectory: Trajectory = {
    x: hostTensor(X, [capacity, d], "float64"),
    targets: hostTensor(targets, [capacity], "float64"),
    mask: hostTensor(mask, [capacity], "float64"),
  };
  return { trajectory, least, range };
}

/** Queries lie close together, so that their covariances are nearly singular: the diagonal grows by tens until they can be factorised. */
function withJitter<R>(owner: string, noise: number, run: (noise: Tensor) => R): R {
  for (let diagonal = Math.max(noise, JITTER.least); ; diagonal *= 10) {
    try {
      return run(scalar(diagonal));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      if (diagonal * 10 > Math.max(JITTER.most, noise) * 1.001) {
        throw new ConvergenceError(
          `${owner}: the covariances of the queries cannot be factorised, even with ${diagonal} on the diagonal; ` +
            "give a shorter length or more noise",
          { cause: error },
        );
      }
    }
  }
}

function mostLikelyLength(
  programs: SurrogatePrograms,
  trajectory: Trajectory,
  range: number,
  factorised: <R>(run: (noise: Tensor) => R) => R,
): number {
  if (range === 0) return 1;
  const distances = programs.distances(trajectory);
  const objective = (logLength: number) =>
    factorised((noise) => programs.minusEvidence(trajectory, distances, scalar(Math.exp(logLength)), noise)).item();
  const [low, high] = LENGTHS;
  return Math.exp(brentMinimize(objective, Math.log(low), Math.log(high), { tolerance: 1e-3 }).x);
}
