import {
  abs,
  add,
  mean as average,
  checkOptions,
  concatenate,
  diag,
  diagonal,
  dot,
  equal,
  expandDims,
  full,
  linalg,
  log,
  matmul,
  max,
  maximum,
  mul,
  random,
  requireInteger,
  requireNonNegative,
  requireObject,
  reshape,
  ShapeError,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  transpose,
  UnsupportedError,
  ValueError,
  vmap,
  where,
  zeros,
} from "@offprint/tensor-core";
import { type CovariancePrograms, covariancePrograms } from "./covariance-programs.js";
import { jitteredCholesky } from "./jittered-cholesky.js";
import { type Kernel, rowsOf, vectorOf } from "./kernel.js";
import { checkPriorMean, type PriorMean, priorMean, priorSlopes } from "./prior-mean.js";
import { checkScale, type ScaleDistribution, type ScalePosterior, scalePosterior } from "./scale-distribution.js";

/** Observed gradients. */
export interface DerivativeObservations {
  /** `[k, d]` where. */
  readonly x: TensorLike;
  /** `[k, d]` the gradients there. */
  readonly y: TensorLike;
  /** Variance of each component, >= 0 (default: that of the values, where it is the same for all). */
  readonly noise?: number;
}

/** Options of {@link condition}. */
export interface ConditionOptions {
  /** Variance of the observations, >= 0 (default 0), or one for each. In units of the scale where there is one. */
  readonly noise?: number | TensorLike;
  /** Default 0. */
  readonly mean?: PriorMean;
  /** Distribution of what all covariances are multiplied by (default 1). */
  readonly scale?: ScaleDistribution;
  /** Gradients that were observed too. */
  readonly derivatives?: DerivativeObservations;
}

/** What was observed in one go: values or gradients. */
interface Block {
  readonly kind: "value" | "gradient";
  readonly x: Tensor;
  /** The mean, flat. */
  readonly mean: Tensor;
}

/** Points, and their covariances with what was observed. */
interface At {
  readonly points: Tensor;
  readonly cross: Tensor;
}

interface Observed {
  readonly kernel: Kernel;
  readonly programs: CovariancePrograms;
  readonly prior: PriorMean;
  /** Of all values alike; undefined where each has its own. */
  readonly noise: number | undefined;
  readonly scale: ScaleDistribution;
  readonly blocks: readonly Block[];
  /** Observations less their means, flat. */
  readonly residuals: Tensor;
  /** Of the covariance matrix with noise and jitter. */
  readonly factor: Tensor;
  readonly jitter: number;
  /** The part of each variance that was added to it as jitter. */
  readonly level: number;
}

/**
 * A Gaussian process after observations `y` at the rows of `x`: exact, by one Cholesky factorisation. With a `scale`
 * it is a Student-t process or any other scale mixture.
 *
 * @param kernel - The covariance before.
 * @param x - `[n, d]`; n may be 0.
 * @param y - `[n]`.
 * @throws ShapeError, ValueError for input that does not fit; ConvergenceError where the covariance is not positive definite.
 * @example
 * const posterior = condition(squaredExponential(), [[0], [1]], [0, 1], { noise: 1e-4 });
 * posterior.mean([[0.5]]);
 */
export function condition(kernel: Kernel, x: TensorLike, y: TensorLike, options: ConditionOptions = {}): Posterior {
  const owner = "condition";
  checkOptions(owner, options, ["noise", "mean", "scale", "derivatives"]);
  const { noise = 0, mean: prior = 0, scale = { kind: "point" }, derivatives } = options;
  checkScale(owner, scale);
  checkPriorMean(owner, prior);
  const points = rowsOf(owner, "x", x);
  const values = vectorOf(owner, "y", y, points.shape[0]);
  const variances = noiseOf(owner, noise, points.shape[0]);
  const programs = covariancePrograms(kernel);
  const common = typeof noise === "number" ? noise : undefined;
  const blocks: Block[] = [{ kind: "value", x: points, mean: priorMean(prior, points) }];
  const parts = [sub(values, blocks[0].mean)];
  const noises = [variances];
  if (derivatives !== undefined) {
    checkOptions(`${owner}: derivatives`, derivatives, ["x", "y", "noise"]);
    requireDifferentiable(owner, kernel);
    const z = rowsOf(owner, "derivatives.x", derivatives.x, points.shape[1]);
    const slopes = rowsOf(owner, "derivatives.y", derivatives.y, points.shape[1]);
    if (slopes.shape[0] !== z.shape[0]) {
      throw new ShapeError(`${owner}: derivatives.y has ${slopes.shape[0]} rows; derivatives.x has ${z.shape[0]}`);
    }
    const own = oneNoise(owner, "derivatives.noise", derivatives.noise ?? common);
    const mean = priorSlopes(prior, z);
    blocks.push({ kind: "gradient", x: z, mean });
    parts.push(sub(reshape(slopes, [slopes.size]), mean));
    noises.push(full([slopes.size], own, "float64"));
  }
  const ownNoise = concatenate(noises, 0);
  const K =
    derivatives === undefined && points.shape[0] > 0
      ? programs.observed(kernel, points, ownNoise)
      : add(between(programs, kernel, blocks, blocks), diag(ownNoise));
  const { factor, jitter, level } = jitteredCholesky(owner, K, diagonal(K));
  return new Posterior({
    ...{ kernel, programs, prior, noise: common, scale, blocks, factor, jitter, level },
    residuals: concatenate(parts, 0),
  });
}

/** A Gaussian process, or scale mixture of them, that has seen observations. Made by {@link condition}. */
export class Posterior {
  /** The covariance before the observations. */
  readonly kernel: Kernel;
  /** What was added to the diagonal on average so that it could be factorised: 0, or 1e-8 to 1e-4 of each variance. */
  readonly jitter: number;
  /** What the observations say of the scale. */
  readonly scale: ScalePosterior;
  /** r^T K^-1 r for observations less their means: what the scale is judged by. */
  readonly quadratic: number;
  /** Log density of the observations. */
  readonly logEvidence: number;
  readonly #observed: Observed;
  /** K^-1 (y - mean). */
  readonly #weights: Tensor;

  /** @internal */
  constructor(observed: Observed) {
    requireObject("Posterior", "observed", observed, "an Observed");
    const { kernel, factor, jitter, residuals, scale } = observed;
    const n = residuals.size;
    this.kernel = kernel;
    this.jitter = jitter;
    this.#observed = observed;
    this.#weights = linalg.choleskySolve(factor, residuals);
    const logDeterminant = 2 * sum(log(diagonal(factor))).item();
    this.quadratic = dot(residuals, this.#weights).item();
    if (!Number.isFinite(this.quadratic)) {
      throw new ValueError(
        `condition: observations less their mean are as large as ${max(abs(residuals)).item()} and r^T K^-1 r is no number; give them in other units`,
      );
    }
    this.scale = scalePosterior("condition", scale, n, this.quadratic);
    this.logEvidence = this.scale.logEvidence - logDeterminant / 2 - (n / 2) * Math.log(2 * Math.PI);
  }

  /** Numbers observed. */
  get count(): number {
    return this.#observed.residuals.size;
  }

  /** `[m]` means at the rows of x `[m, d]`. */
  mean(x: TensorLike): Tensor {
    return this.#mean(this.#at("mean", x));
  }

  /** `[m]` variances of the function, without noise. */
  variance(x: TensorLike): Tensor {
    return this.#variance(this.#at("variance", x));
  }

  /** `[m]` means and variances, for one computation of the covariances with the observations. */
  marginals(x: TensorLike): { readonly mean: Tensor; readonly variance: Tensor } {
    const at = this.#at("marginals", x);
    return { mean: this.#mean(at), variance: this.#variance(at) };
  }

  /** `[m, k]` covariances of the function at the rows of x and of x2 (default x). */
  covariance(x: TensorLike, x2?: TensorLike): Tensor {
    const first = this.#at("covariance", x);
    const second = x2 === undefined ? first : this.#at("covariance", x2);
    return scaled(this.scale.mean, this.#covariance(first, second));
  }

  /** Functions drawn at the rows of x: `[count, m]`. */
  sample(x: TensorLike, options: { readonly rng?: random.Rng; readonly count?: number } = {}): Tensor {
    checkOptions("sample", options, ["rng", "count"]);
    const { rng = random.rng(0), count = 1 } = options;
    requireInteger("sample", "count", count, 1);
    const at = this.#at("sample", x);
    const covariances = this.#covariance(at, at);
    // Of what is known exactly rounding is left, which is judged by what was not known before.
    const before = this.#observed.programs.diagonal(this.kernel, at.points);
    const left = at.points.shape[0] === 0 ? 0 : average(diagonal(covariances));
    const { factor } = jitteredCholesky("sample", covariances, maximum(left, mul(KNOWN, before)));
    const mean = this.#mean(at);
    const draws = Array.from({ length: count }, () => {
      const size = Math.sqrt(this.scale.sample(rng));
      return add(mean, mul(size, matmul(factor, rng.normal([at.points.shape[0]], { dtype: "float64" }))));
    });
    return stack(draws);
  }

  /** `[m, d]` gradients of the mean at the rows of x. */
  gradient(x: TensorLike): Tensor {
    const { points, cross } = this.#slopesAt("gradient", x);
    return reshape(add(priorSlopes(this.#observed.prior, points), matmul(cross, this.#weights)), [...points.shape]);
  }

  /** `[m, d, d]` covariances of the function's gradient at each row of x. */
  gradientCovariance(x: TensorLike): Tensor {
    requireDifferentiable("gradientCovariance", this.kernel);
    const { points, cross } = this.#slopesAt("gradientCovariance", x);
    const [m, d] = points.shape;
    const { programs } = this.#observed;
    const before = vmap((row: Tensor) =>
      reshape(programs.gradientGradient(this.kernel, expandDims(row, 0), expandDims(row, 0)), [d, d]),
    )(points);
    const half = reshape(transpose(this.#half(cross)), [m, d, this.count]);
    return scaled(this.scale.mean, sub(before, matmul(half, transpose(half, [0, 2, 1]))));
  }

  /**
   * The posterior with more values: the factor grows by their rows, in O(n^2) for each.
   * @param noise - Variance of these (default that of the others, where it is the same for all).
   */
  append(x: TensorLike, y: TensorLike, noise: number | undefined = this.#observed.noise): Posterior {
    const owner = "append";
    const variance = oneNoise(owner, "noise", noise);
    const { kernel, programs, prior, blocks, factor, residuals, jitter, level } = this.#observed;
    const points = rowsOf(owner, "x", x, this.#inputs);
    const k = points.shape[0];
    const values = vectorOf(owner, "y", y, k);
    const block: Block = { kind: "value", x: points, mean: priorMean(prior, points) };
    const cross = between(programs, kernel, [block], blocks);
    const left = transpose(this.#half(cross));
    const own = add(between(programs, kernel, [block], [block]), diag(full([k], variance, "float64")));
    const sizes = diagonal(own);
    const before = add(own, diag(mul(sizes, level)));
    const corner = jitteredCholesky(owner, sub(before, matmul(left, transpose(left))), sizes);
    const top = concatenate([factor, zeros([factor.shape[0], k], "float64")], 1);
    return new Posterior({
      ...this.#observed,
      blocks: [...blocks, block],
      factor: concatenate([top, concatenate([left, corner.factor], 1)], 0),
      jitter: Math.max(jitter, corner.jitter),
      residuals: concatenate([residuals, sub(values, block.mean)], 0),
    });
  }

  get #inputs(): number {
    return this.#observed.blocks[0].x.shape[1];
  }

  #mean({ points, cross }: At): Tensor {
    return add(priorMean(this.#observed.prior, points), matmul(cross, this.#weights));
  }

  #variance({ points, cross }: At): Tensor {
    const before = this.#observed.programs.diagonal(this.kernel, points);
    const known = sum(square(this.#half(cross)), 0);
    return scaled(this.scale.mean, maximum(sub(before, known), 0));
  }

  /** L^-1 cross^T. */
  #half(cross: Tensor): Tensor {
    return linalg.triangularSolve(this.#observed.factor, transpose(cross));
  }

  #at(owner: string, x: TensorLike): At {
    const points = rowsOf(owner, "x", x, this.#inputs);
    const { programs, blocks } = this.#observed;
    return { points, cross: between(programs, this.kernel, [{ kind: "value", x: points, mean: points }], blocks) };
  }

  #slopesAt(owner: string, x: TensorLike): { points: Tensor; cross: Tensor } {
    const points = rowsOf(owner, "x", x, this.#inputs);
    const { programs, blocks } = this.#observed;
    return { points, cross: between(programs, this.kernel, [{ kind: "gradient", x: points, mean: points }], blocks) };
  }

  #covariance(first: { points: Tensor; cross: Tensor }, second: { points: Tensor; cross: Tensor }): Tensor {
    const before = this.#observed.programs.matrix(this.kernel, first.points, second.points);
    const half = this.#half(first.cross);
    return sub(before, matmul(transpose(half), first === second ? half : this.#half(second.cross)));
  }
}

/** Of variances before: what is left of them, below this, is rounding where points are known. */
const KNOWN = 1e-6;

/** So many times as large, 0 where nothing is left, though the factor has no mean. */
function scaled(factor: number, covariances: Tensor): Tensor {
  const product = mul(factor, covariances);
  return factor < Infinity ? product : where(equal(covariances, 0), 0, product);
}

/** @throws ValueError for what is no variance, or for none where each value has its own. */
function oneNoise(owner: string, name: string, noise: number | undefined): number {
  if (noise === undefined) {
    throw new ValueError(`${owner}: ${name} is missing, and each of the values has a noise of its own; give it`);
  }
  requireNonNegative(owner, name, noise);
  return noise;
}

function requireDifferentiable(owner: string, { differentiable }: Kernel): void {
  if (differentiable !== false) return;
  throw new UnsupportedError(
    `${owner}: functions of this kernel have no derivatives; take a Matern kernel of smoothness 3/2 or 5/2`,
  );
}

/** The covariances of observations with observations. */
function between(
  programs: CovariancePrograms,
  kernel: Kernel,
  rows: readonly Block[],
  columns: readonly Block[],
): Tensor {
  const strips = rows.map((row) =>
    concatenate(
      columns.map((column) => blockOf(programs, kernel, row, column)),
      1,
    ),
  );
  return concatenate(strips, 0);
}

function blockOf(programs: CovariancePrograms, kernel: Kernel, row: Block, column: Block): Tensor {
  const [n, d] = row.x.shape;
  const k = column.x.shape[0];
  if (row.kind === "value" && column.kind === "value") {
    return n * k === 0 ? zeros([n, k], "float64") : programs.matrix(kernel, row.x, column.x);
  }
  if (n * k === 0) return zeros([row.kind === "value" ? n : n * d, column.kind === "value" ? k : k * d], "float64");
  if (row.kind === "value") return reshape(programs.valueGradient(kernel, row.x, column.x), [n, k * d]);
  if (column.kind === "value") return transpose(reshape(programs.valueGradient(kernel, column.x, row.x), [k, n * d]));
  return reshape(programs.gradientGradient(kernel, row.x, column.x), [n * d, k * d]);
}

function noiseOf(owner: string, noise: number | TensorLike, size: number): Tensor {
  if (typeof noise === "number") {
    requireNonNegative(owner, "noise", noise);
    return full([size], noise, "float64");
  }
  const variances = vectorOf(owner, "noise", noise, size);
  if (variances.data().every((v) => v >= 0)) return variances;
  throw new ValueError(`${owner}: noise holds a negative variance; each must be >= 0`);
}
