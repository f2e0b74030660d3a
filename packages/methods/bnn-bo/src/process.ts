import { evidenceTerms, type ParameterTree } from "@offprint/gaussian-process";
import { minimizeLbfgs } from "@offprint/solvers";
import {
  add,
  ConvergenceError,
  diag,
  diagonal,
  div,
  eye,
  jitSync,
  linalg,
  matmul,
  mean,
  mul,
  outer,
  special,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  tree,
  ValueError,
  valueAndGrad,
  zerosLike,
} from "@offprint/tensor-core";
import type { ModelTree, SampledPosterior, Sampler } from "./posterior.js";
import { type Padded, padded, type Standardised } from "./standardise.js";

/** Least variance of the noise, of standardised values. */
export const LEAST_NOISE = 1e-4;
/** Added to the covariances of points that are drawn together. */
const SAMPLE_JITTER = 1e-6;
/** Added to the diagonal, as a part of its mean, where it cannot be factorised without. */
const JITTERS = [0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4];

/** Parameters of a process with a constant mean: raw ones, whose softplus is what they mean. */
export interface ProcessParameters {
  readonly kernel: ParameterTree;
  /** Less the least noise. */
  readonly noise: Tensor;
  readonly mean: Tensor;
}

/** A kind of process: its covariances, and what is thought of its parameters before. One object for each kind. */
export interface ProcessKind {
  /** `[n, m]` covariances. */
  readonly matrix: (kernel: ParameterTree, x: Tensor, x2: Tensor) => Tensor;
  /** `[n]` variances. */
  readonly diagonal: (kernel: ParameterTree, x: Tensor) => Tensor;
  /** Log density of the parameters, up to a constant. */
  readonly logPrior: (kernel: ParameterTree, noise: Tensor) => Tensor;
}

interface Observed {
  readonly x: Tensor;
  readonly mask: Tensor;
}

/** What a fitted process computes with. */
interface ProcessModel extends Observed {
  readonly kernel: ParameterTree;
  readonly mean: Tensor;
  /** K^-1 (y - mean). */
  readonly weights: Tensor;
  readonly factor: Tensor;
}

/** Programs of a kind of process. */
export interface Process {
  /** Minus the log density of observations and parameters, for each observation; traceable. */
  readonly minusPosterior: (parameters: ProcessParameters, data: Padded) => Tensor;
  readonly objective: (parameters: ProcessParameters, data: Padded) => [Tensor, ProcessParameters];
  readonly condition: (
    parameters: ProcessParameters,
    data: Padded,
    jitter: Tensor,
  ) => { weights: Tensor; factor: Tensor };
  readonly moments: (model: ProcessModel, points: Tensor) => { mean: Tensor; covariance: Tensor };
  readonly variances: (model: ProcessModel, points: Tensor) => Tensor;
  readonly sampler: Sampler;
}

/** The noise of raw parameters. */
export function noiseOf(raw: Tensor): Tensor {
  return add(LEAST_NOISE, special.softplus(raw));
}

/** @internal Compiles what a kind of process needs; for each number of observations, padded, once. */
export function processOf(kind: ProcessKind): Process {
  const covariances = ({ kernel, noise }: ProcessParameters, { x, mask }: Observed): Tensor => {
    const K = mul(outer(mask, mask), kind.matrix(kernel, x, x));
    return add(K, diag(add(mul(mask, noiseOf(noise)), sub(1, mask))));
  };
  const residuals = (level: Tensor, { y, mask }: Padded): Tensor => mul(mask, sub(y, level));
  const minusPosterior = (parameters: ProcessParameters, data: Padded): Tensor => {
    const { quadratic, logDeterminant } = evidenceTerms(
      covariances(parameters, data),
      residuals(parameters.mean, data),
    );
    const prior = kind.logPrior(parameters.kernel, noiseOf(parameters.noise));
    return div(sub(mul(0.5, add(quadratic, logDeterminant)), prior), sum(data.mask));
  };
  const moments = ({ kernel, mean: level, weights, factor, x, mask }: ProcessModel, points: Tensor) => {
    const cross = mul(kind.matrix(kernel, points, x), mask);
    const half = linalg.triangularSolve(factor, transpose(cross));
    return {
      mean: add(level, matmul(cross, weights)),
      covariance: sub(kind.matrix(kernel, points, points), matmul(transpose(half), half)),
    };
  };
  const sampler: Sampler = {
    values(model, points, base) {
      const { mean: level, covariance } = moments(model as unknown as ProcessModel, points);
      const q = points.shape[0];
      const jitter = mul(SAMPLE_JITTER, eye(q, q, "float64"));
      return add(level, matmul(base, transpose(linalg.cholesky(add(covariance, jitter)))));
    },
    base: (_, rng, count, q) => rng.normal([count, q], { dtype: "float64" }),
    moments: (model, points) => moments(model as unknown as ProcessModel, points),
  };
  return {
    minusPosterior,
    objective: jitSync(valueAndGrad(minusPosterior)) as unknown as Process["objective"],
    condition: jitSync((parameters: ProcessParameters, data: Padded, jitter: Tensor) => {
      const K = covariances(parameters, data);
      const raised = add(K, diag(mul(mul(jitter, mean(diagonal(K))), data.mask)));
      const factor = linalg.cholesky(raised);
      return { factor, weights: linalg.choleskySolve(factor, residuals(parameters.mean, data)) };
    }),
    moments: jitSync(moments),
    variances: jitSync(({ kernel, factor, x, mask }: ProcessModel, points: Tensor) => {
      const half = linalg.triangularSolve(factor, transpose(mul(kind.matrix(kernel, points, x), mask)));
      return sub(kind.diagonal(kernel, points), sum(square(half), 0));
    }),
    sampler,
  };
}

const FIT = { maxIterations: 60, gradientTolerance: 1e-4, decreaseTolerance: 1e-7 };

/** @internal The most likely parameters, from several starts, of which the best is kept. Fixed kernels have no gradient. */
export async function fitProcess(
  process: Process,
  data: Padded,
  starts: readonly ProcessParameters[],
  fixedKernel: boolean,
  signal?: AbortSignal,
): Promise<{ readonly parameters: ProcessParameters; readonly objective: number }> {
  const objective = (parameters: ProcessParameters): [Tensor, ProcessParameters] => {
    try {
      const [value, gradient] = process.objective(parameters, data);
      return [
        value,
        fixedKernel ? { ...gradient, kernel: tree.map(zerosLike, gradient.kernel) as ParameterTree } : gradient,
      ];
    } catch (error) {
      // Not positive definite: a place to step back from.
      if (!(error instanceof ValueError)) throw error;
      return [tensor(Infinity, { dtype: "float64" }), tree.map(zerosLike, parameters) as ProcessParameters];
    }
  };
  let best: { parameters: ProcessParameters; objective: number } | undefined;
  for (const start of starts) {
    const run = await minimizeLbfgs<ProcessParameters>(objective, start, { ...FIT, ...(signal && { signal }) });
    if (best === undefined || run.objective < best.objective) best = { parameters: run.x, objective: run.objective };
  }
  return best!;
}

/** @internal The process after observations. @throws ConvergenceError where its covariances cannot be factorised. */
export function processPosterior(
  process: Process,
  parameters: ProcessParameters,
  { offset, deviation, ...observed }: Standardised,
): SampledPosterior {
  const data = padded(observed);
  const model: ProcessModel = {
    ...{ x: data.x, mask: data.mask, kernel: parameters.kernel, mean: parameters.mean },
    ...withJitter((jitter) => process.condition(parameters, data, jitter)),
  };
  const at = (x: TensorLike) => tensor(x, { dtype: "float64" });
  return {
    model: model as unknown as ModelTree,
    sampler: process.sampler,
    ...{ offset, deviation },
    mean: (x) => process.moments(model, at(x)).mean.mul(deviation).add(offset),
    variance: (x) =>
      process
        .variances(model, at(x))
        .maximum(0)
        .mul(deviation ** 2),
    covariance: (x) => process.moments(model, at(x)).covariance.mul(deviation ** 2),
  };
}

function withJitter<R>(run: (jitter: Tensor) => R): R {
  for (const jitter of JITTERS) {
    try {
      return run(tensor(jitter, { dtype: "float64" }));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
    }
  }
  throw new ConvergenceError("fit: the covariances of the observations cannot be factorised; leave out repeated ones");
}
