import { checkOptions, requireChoice, requireNonNegative, requirePositive, ValueError } from "@offprint/tensor-core";
import { requireEffectiveBatch } from "./effective-batch.js";

/** Noise of batch Hessians as a Marchenko-Pastur matrix, which is positive semidefinite (Theorem 2, Gauss-Newton). */
export interface MarchenkoPastur {
  /** `q = P / T`, parameters over terms, > 0. */
  readonly ratio: number;
  /** `s`, the mean eigenvalue of the noise, > 0. */
  readonly scale: number;
  /** Whether the mean `s` is taken off (default false). */
  readonly centred?: boolean;
}

/** What {@link batchExtremes} takes. */
export interface BatchExtremesOptions {
  /** `lambda_1`, the largest eigenvalue of the full Hessian. */
  readonly lambda1: number;
  /** `lambda_P`, its smallest (default 0). */
  readonly lambdaP?: number;
  /** `Gamma = P sigma^2`, >= 0: how noisy Hessians of single samples are. Not used by a Marchenko-Pastur noise. */
  readonly gamma?: number;
  /** `b`, the effective batch, > 0: {@link effectiveBatch}. Not used by a Marchenko-Pastur noise. */
  readonly effective?: number;
  /** The kind of noise (default `"wigner"`). */
  readonly noise?: "wigner" | MarchenkoPastur;
  /**
   * Below the threshold an eigenvalue drowns in the noise: `"theorem"` (the default) gives the edge of the noise there,
   * `"always-spike"` goes on with `lambda + Gamma / (b lambda)`, as measured networks do, whose noise is in few directions.
   */
  readonly branch?: Branch;
}

/** What is said of an eigenvalue below the noise. */
export type Branch = "theorem" | "always-spike";

/** What a batch's Hessian is expected to have. */
export interface BatchExtremes {
  /** Its largest eigenvalue, `lambda'_1`. */
  readonly top: number;
  /** Its smallest, `lambda'_P`. */
  readonly bottom: number;
  /** Where the noise alone ends. */
  readonly bulkEdge: number;
  /** Squared overlap of its top eigenvector with the true one; 0 where it drowns. */
  readonly overlap: number;
  /** Whether the largest eigenvalue stands out of the noise. */
  readonly spike: boolean;
}

const names = ["lambda1", "lambdaP", "gamma", "effective", "noise", "branch"];

/**
 * Theorem 1: the extreme eigenvalues of a batch's Hessian, which is the full one plus noise of variance `Gamma / (P b)`.
 *
 * @throws ValueError for numbers out of range.
 */
export function batchExtremes(options: BatchExtremesOptions): BatchExtremes {
  const owner = "batchExtremes";
  checkOptions(owner, options, names, ["lambda1"]);
  const { lambda1, lambdaP = 0, noise = "wigner", branch = "theorem" } = options;
  requireFinite(owner, "lambda1", lambda1);
  requireFinite(owner, "lambdaP", lambdaP);
  requireChoice(owner, "branch", branch, ["theorem", "always-spike"]);
  if (typeof noise === "object") return marchenkoPastur(owner, lambda1, lambdaP, noise, branch);
  requireChoice(owner, "noise", noise, ["wigner"]);
  const variance = noiseOf(owner, options);
  const edge = 2 * Math.sqrt(variance);
  return {
    top: spiked(lambda1, variance, branch),
    bottom: -spiked(-lambdaP, variance, branch),
    bulkEdge: edge,
    overlap: lambda1 > edge / 2 ? 1 - variance / lambda1 ** 2 : 0,
    spike: lambda1 > edge / 2,
  };
}

/** @internal `Gamma / b`. */
export function noiseOf(owner: string, { gamma, effective }: { gamma?: number; effective?: number }): number {
  if (gamma === undefined) throw new ValueError(`${owner}: gamma is missing; estimateNoise measures it`);
  if (effective === undefined) throw new ValueError(`${owner}: effective is missing; give effectiveBatch(B, N)`);
  requireNonNegative(owner, "gamma", gamma);
  requireEffectiveBatch(owner, effective);
  return gamma / effective;
}

/** @internal The top eigenvalue of `lambda` in Wigner noise of the given variance. */
export function spiked(lambda: number, variance: number, branch: Branch): number {
  if (variance === 0) return lambda;
  const threshold = Math.sqrt(variance);
  if (lambda > threshold || (branch === "always-spike" && lambda > 0)) return lambda + variance / lambda;
  return 2 * threshold;
}

function marchenkoPastur(
  owner: string,
  lambda1: number,
  lambdaP: number,
  noise: MarchenkoPastur,
  branch: Branch,
): BatchExtremes {
  checkOptions(`${owner}: noise`, noise, ["ratio", "scale", "centred"]);
  const { ratio: q, scale: s, centred = false } = noise;
  requirePositive(owner, "noise.ratio", q);
  requirePositive(owner, "noise.scale", s);
  const shift = centred ? s : 0;
  const threshold = s * (Math.sqrt(q) + q);
  const edge = s * (1 + Math.sqrt(q)) ** 2 - shift;
  // lambda + s / (1 - q s / lambda), written so that nothing cancels where s is large and q s small.
  const raised = (lambda: number) => lambda + (q * s * s) / (lambda - q * s) + (s - shift);
  const spike = lambda1 > threshold;
  const top = spike || (branch === "always-spike" && lambda1 > q * s) ? raised(lambda1) : edge;
  // With more parameters than terms the noise has zeros.
  const lower = (q >= 1 ? 0 : s * (1 - Math.sqrt(q)) ** 2) - shift;
  return {
    top,
    bottom: Math.min(lower, lambdaP + s - shift),
    bulkEdge: edge,
    overlap: spike ? overlapOf(lambda1, q, s) : 0,
    spike,
  };
}

/** Squared overlap of a spike added to a Marchenko-Pastur matrix: one over minus the derivative of its resolvent. */
function overlapOf(lambda: number, q: number, s: number): number {
  // lambda = 1 / G(top), top = R(1/lambda) + lambda with R(g) = s / (1 - q s g): overlap = d top / d lambda.
  return 1 - (q * s * s) / (lambda - q * s) ** 2;
}

/** @internal */
export function requireFinite(owner: string, name: string, value: number): void {
  if (typeof value === "number" && Number.isFinite(value)) return;
  throw new ValueError(`${owner}: ${name} is ${String(value)}; it must be a finite number`);
}

/**
 * Theorem 1 the other way round: the full Hessian's eigenvalue whose batches of effective size `effective` show `top`.
 * With the number of samples in place of `effective`, the population's eigenvalue from the full data set's.
 *
 * @returns nothing below the edge of the noise, `2 sqrt(Gamma / b)`, which every smaller eigenvalue gives.
 * @throws ValueError for numbers out of range.
 */
export function trueExtreme(options: {
  readonly top: number;
  readonly gamma: number;
  readonly effective: number;
}): number | undefined {
  const owner = "trueExtreme";
  checkOptions(owner, options, ["top", "gamma", "effective"], ["top", "gamma", "effective"]);
  requireFinite(owner, "top", options.top);
  const variance = noiseOf(owner, options);
  const { top } = options;
  const root = top * top - 4 * variance;
  return top <= 0 || root < 0 ? undefined : (top + Math.sqrt(root)) / 2;
}
