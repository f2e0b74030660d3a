import {
  type MinimizerRecord,
  type MinimizerState,
  type MinimizerStatus,
  minimizeLbfgs,
  type RunOptions,
  runOptionNames,
} from "@offprint/solvers";
import {
  add,
  checkOptions,
  diag,
  exp,
  full,
  jitSync,
  mul,
  requireInteger,
  requireNonNegative,
  requirePositive,
  special,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
  valueAndGrad,
  zerosLike,
} from "@offprint/tensor-core";
import { evidenceTerms } from "./evidence.js";
import { type Kernel, type ParameterTree, rawOf, rowsOf, vectorOf } from "./kernel.js";
import { ownCovariance } from "./own-covariance.js";
import { condition, type Posterior, type PriorMean } from "./posterior.js";
import { checkScale, type ScaleDistribution, type ScaleValues, scaleEvidence } from "./scale-distribution.js";

/** What is fitted: raw parameters, whose softplus is what they mean. */
interface Fitted {
  readonly kernel: ParameterTree;
  readonly noise: Tensor;
  readonly scale?: RawScale;
}

/**
 * Of an inverse gamma distribution, the logarithms of its shape and of rate / shape: where the scale is known ever better, shape and rate
 * grow without end together.
 */
interface RawScale {
  readonly shape: Tensor;
  readonly place: Tensor;
}

/** Options of {@link fit}. */
export interface FitOptions extends RunOptions<MinimizerRecord, MinimizerState> {
  /** Variance of the observations to begin from, > 0 (default 0.01). */
  readonly noise?: number;
  /** Whether the noise is fitted too (default true). */
  readonly fitNoise?: boolean;
  /** Default 0; not fitted. */
  readonly mean?: PriorMean;
  /** Distribution of the scale: a point (default) or inverse gamma. */
  readonly scale?: ScaleDistribution;
  /** Whether shape and rate of an inverse gamma distribution are fitted too (default false). */
  readonly fitScale?: boolean;
  /** Log density of the parameters, up to a constant, in operations of tensors. Default flat. */
  readonly logPrior?: (kernel: Kernel, noise: Tensor) => Tensor;
  /** Most steps of L-BFGS (default 100). */
  readonly maxIterations?: number;
  /** Converged when the largest entry of the gradient is at most this (default 1e-4). */
  readonly tolerance?: number;
  /** Or when a step lowers the objective by at most this part of it (default 2e-9, as SciPy has it). */
  readonly decreaseTolerance?: number;
}

/** What {@link fit} gives. */
export interface FitResult {
  /** The kernel with the parameters found. */
  readonly kernel: Kernel;
  /** The noise found. */
  readonly noise: number;
  /** The scale's distribution: as given, or fitted. */
  readonly scale: ScaleDistribution;
  /** The process after the observations. */
  readonly posterior: Posterior;
  /** Their log evidence, without the prior of the parameters. */
  readonly logEvidence: number;
  /** What was minimised: minus the log evidence and the log prior. */
  readonly objective: number;
  /** How it ended. */
  readonly status: MinimizerStatus;
  /** Steps of L-BFGS. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly MinimizerRecord[];
  /** What `resume` goes on from. */
  readonly state: MinimizerState;
}

/**
 * Fits the parameters of a kernel, and the noise, to observations: the largest evidence (or posterior density, with
 * a prior), by L-BFGS on a compiled gradient.
 *
 * @param kernel - Where it begins.
 * @param x - `[n, d]`.
 * @param y - `[n]`.
 * @throws ShapeError, ValueError for input that does not fit.
 */
export async function fit(kernel: Kernel, x: TensorLike, y: TensorLike, options: FitOptions = {}): Promise<FitResult> {
  const owner = "fit";
  checkOptions(owner, options, [...optionNames, ...runOptionNames]);
  const { noise = 0.01, fitNoise = true, mean = 0, scale = { kind: "point" }, fitScale = false, logPrior } = options;
  const {
    maxIterations = 100,
    tolerance = 1e-4,
    decreaseTolerance = 2e-9,
    onProgress,
    signal,
    checkpoint,
    resume,
  } = options;
  requirePositive(owner, "noise", noise);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireNonNegative(owner, "tolerance", tolerance);
  requireNonNegative(owner, "decreaseTolerance", decreaseTolerance);
  checkScale(owner, scale);
  if (scale.kind === "density") {
    throw new ValueError(`${owner}: scale.kind is "density", which has no gradient; give "point" or "inverseGamma"`);
  }
  if (fitScale && scale.kind !== "inverseGamma") {
    throw new ValueError(`${owner}: fitScale is for scale.kind "inverseGamma"; "${scale.kind}" has nothing to fit`);
  }
  const points = rowsOf(owner, "x", x);
  const n = points.shape[0];
  if (n === 0) throw new ValueError(`${owner}: x has no points; give one at least`);
  const values = vectorOf(owner, "y", y, n);
  const residuals = sub(values, typeof mean === "number" ? mean : mean(points));
  if (fitNoise && residuals.data().every((r: number) => r === 0)) {
    throw new ValueError(
      `${owner}: y is the mean everywhere, and its density grows without end as the noise falls; give values that differ, or fitNoise: false`,
    );
  }
  const evaluate = jitSync(
    valueAndGrad((raw: Fitted, at: Tensor, r: Tensor) => {
      const current = kernel.with(raw.kernel);
      const variance = special.softplus(raw.noise);
      const ones = full([n], 1, "float64");
      const K = add(ownCovariance(current, at), diag(mul(variance, ones)));
      const { quadratic, logDeterminant } = evidenceTerms(K, r);
      const ofScale = raw.scale === undefined ? undefined : positiveOf(raw.scale);
      const evidence = sub(scaleEvidence(owner, scale, n, quadratic, ofScale), mul(0.5, logDeterminant));
      const minus = sub((n / 2) * Math.log(2 * Math.PI), evidence);
      return logPrior === undefined ? minus : sub(minus, logPrior(current, variance));
    }),
  );
  const raw = (value: number) => rawOf(tensor(value, { dtype: "float64" }));
  const start: Fitted = {
    kernel: kernel.parameters,
    noise: raw(noise),
    ...(fitScale && scale.kind === "inverseGamma" ? { scale: logarithmsOf(scale) } : {}),
  };
  let begun = false;
  const objective = (raw: Fitted): [Tensor, Fitted] => {
    try {
      const [value, gradient] = evaluate(raw, points, residuals) as [Tensor, Fitted];
      begun = true;
      return [value, fitNoise ? gradient : { ...gradient, noise: zerosLike(gradient.noise) }];
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      // Not positive definite: a place to step back from, or where the search begins one to complain of.
      if (!begun) condition(kernel, points, values, { noise, mean });
      return [tensor(Infinity, { dtype: "float64" }), tree.map((leaf: Tensor) => zerosLike(leaf), raw)];
    }
  };
  const run = { onProgress, signal, checkpoint, resume };
  const given = Object.fromEntries(Object.entries(run).filter(([, value]) => value !== undefined));
  const found = await minimizeLbfgs<Fitted>(objective, start, {
    maxIterations,
    gradientTolerance: tolerance,
    decreaseTolerance,
    ...given,
  });
  evaluate.release();
  const best = kernel.with(found.x.kernel);
  const variance = special.softplus(found.x.noise).item();
  const of = found.x.scale === undefined ? undefined : positiveOf(found.x.scale);
  const fittedScale: ScaleDistribution =
    of === undefined ? scale : { kind: "inverseGamma", shape: of.shape.item(), rate: of.rate.item() };
  const posterior = condition(best, points, values, { noise: variance, mean, scale: fittedScale });
  const { objective: value, status, iterations, history, state } = found;
  return {
    ...{
      kernel: best,
      noise: variance,
      scale: fittedScale,
      posterior,
      logEvidence: posterior.logEvidence,
      objective: value,
    },
    ...{ status, iterations, history, state },
  };
}

function logarithmsOf({ shape, rate }: { readonly shape: number; readonly rate: number }): RawScale {
  const logarithm = (value: number) => tensor(Math.log(value), { dtype: "float64" });
  return { shape: logarithm(shape), place: logarithm(rate / shape) };
}

function positiveOf({ shape, place }: RawScale): ScaleValues {
  return { shape: exp(shape), rate: exp(add(shape, place)) };
}

const optionNames = [
  "noise",
  "fitNoise",
  "mean",
  "scale",
  "fitScale",
  "logPrior",
  "maxIterations",
  "tolerance",
  "decreaseTolerance",
];
