import {
  type MinimizerRecord,
  type MinimizerState,
  type MinimizerStatus,
  minimizeLbfgs,
  type RunOptions,
  runOptionNames,
} from "@offprint/solvers";
import {
  abs,
  add,
  mean as average,
  checkOptions,
  diag,
  exp,
  full,
  jitSync,
  log,
  max,
  mul,
  requireChoice,
  requireFunction,
  requireInteger,
  requireNonNegative,
  requirePositive,
  special,
  square,
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
import { condition, type Posterior } from "./posterior.js";
import { checkPriorMean, type PriorMean, priorMean } from "./prior-mean.js";
import { checkScale, type ScaleDistribution, type ScaleValues, scaleEvidence } from "./scale-distribution.js";

/**
 * What is fitted: logarithms, in which another unit of inputs or targets is a shift, and no gradient knows of it.
 */
interface Fitted {
  readonly kernel: ParameterTree;
  readonly noise: Tensor;
  readonly scale?: LogScale;
}

/** Of an inverse gamma distribution: where the scale is known ever better, shape and rate grow without end together. */
interface LogScale {
  readonly shape: Tensor;
  /** Of rate / shape. */
  readonly place: Tensor;
}

/** Options of {@link fit}. */
export interface FitOptions extends RunOptions<MinimizerRecord, MinimizerState> {
  /** Variance of the observations to begin from, > 0 (default 0.01); where it is fitted, in the unit of the kernel's. */
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
  /** What was minimised: minus the log evidence, of targets in units of their root mean square about `mean`, and the log prior. */
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
  for (const [name, value] of Object.entries({ fitNoise, fitScale })) requireChoice(owner, name, value, [true, false]);
  if (logPrior !== undefined) requireFunction(owner, "logPrior", logPrior);
  checkScale(owner, scale);
  checkPriorMean(owner, mean);
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
  const residuals = sub(values, priorMean(mean, points));
  if (fitNoise && residuals.data().every((r: number) => r === 0)) {
    throw new ValueError(
      `${owner}: y is the mean everywhere, and its density grows without end as the noise falls; give values that differ, or fitNoise: false`,
    );
  }
  const meanSquare = average(square(residuals)).item();
  requireSizes(owner, residuals, meanSquare);
  const evaluate = jitSync(
    valueAndGrad((logs: Fitted, at: Tensor, r: Tensor) => {
      const current = kernel.with(parametersOf(logs.kernel));
      const variance = exp(logs.noise);
      const K = add(ownCovariance(current, at), diag(mul(variance, full([n], 1, "float64"))));
      const { quadratic, logDeterminant } = evidenceTerms(K, r);
      const ofScale = logs.scale === undefined ? undefined : positiveOf(logs.scale);
      const evidence = sub(scaleEvidence(owner, scale, n, quadratic, ofScale), mul(0.5, logDeterminant));
      const minus = sub((n / 2) * Math.log((2 * Math.PI) / (meanSquare || 1)), evidence);
      return logPrior === undefined ? minus : sub(minus, logPrior(current, variance));
    }),
  );
  const { quadratic } = condition(kernel, points, values, { noise, mean });
  const start = startOf({ kernel, noise, scale, fitNoise, fitScale }, quadratic / (n * centreOf(scale)));
  const objective = (logs: Fitted): [Tensor, Fitted] => {
    try {
      const [value, gradient] = evaluate(logs, points, residuals) as [Tensor, Fitted];
      return [value, fitNoise ? gradient : { ...gradient, noise: zerosLike(gradient.noise) }];
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      // Not positive definite: a place to step back from.
      return [tensor(Infinity, { dtype: "float64" }), tree.map((leaf: Tensor) => zerosLike(leaf), logs)];
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
  const best = kernel.with(parametersOf(found.x.kernel));
  const variance = exp(found.x.noise).item();
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

/** Squares of targets beyond these, and the noise that is found as a part of them, leave float64. */
const [SMALLEST, LARGEST] = [1e-280, 1e300];

function requireSizes(owner: string, residuals: Tensor, meanSquare: number): void {
  const largest = max(abs(residuals)).item();
  if (largest === 0 || (meanSquare >= SMALLEST && meanSquare <= LARGEST)) return;
  throw new ValueError(
    `${owner}: y less its mean is at most ${largest}, and its squares leave float64; give it in other units`,
  );
}

/** What {@link fit} is given to begin from. */
interface Given extends Required<Pick<FitOptions, "noise" | "scale" | "fitNoise" | "fitScale">> {
  readonly kernel: Kernel;
}

/**
 * Where the search begins: as it is given, but in the unit of the targets, whose mean square is `unit` times what is given has it. The
 * scale takes that where it is fitted, else kernel and noise.
 */
function startOf({ kernel, noise, scale, fitNoise, fitScale }: Given, unit: number): Fitted {
  const factor = unit > 0 && unit < Infinity ? unit : 1;
  if (fitScale && scale.kind === "inverseGamma") {
    const law = { shape: logarithm(scale.shape), place: logarithm(factor * centreOf(scale)) };
    return { kernel: logarithmsOf(kernel.parameters), noise: logarithm(noise), scale: law };
  }
  if (kernel.times === undefined) return { kernel: logarithmsOf(kernel.parameters), noise: logarithm(noise) };
  const { parameters } = kernel.times(factor);
  return { kernel: logarithmsOf(parameters), noise: logarithm(fitNoise ? factor * noise : noise) };
}

/** About how large a scale is before anything is observed. */
function centreOf(scale: ScaleDistribution): number {
  if (scale.kind === "inverseGamma") return scale.rate / scale.shape;
  return scale.kind === "point" ? (scale.value ?? 1) : 1;
}

const logarithm = (value: number): Tensor => tensor(Math.log(value), { dtype: "float64" });

/** Of the positive values that raw parameters mean. */
function logarithmsOf(parameters: ParameterTree): ParameterTree {
  return tree.map((raw: Tensor) => log(special.softplus(raw)), parameters);
}

/** The raw parameters again. */
function parametersOf(logarithms: ParameterTree): ParameterTree {
  return tree.map((leaf: Tensor) => rawOf(exp(leaf)), logarithms);
}

function positiveOf({ shape, place }: LogScale): ScaleValues {
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
