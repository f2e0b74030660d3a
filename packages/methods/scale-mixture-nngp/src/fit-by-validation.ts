import type { Kernel } from "@offprint/gaussian-process";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  div,
  linalg,
  matmul,
  mean,
  mul,
  NonFiniteError,
  requireChoice,
  requireInteger,
  requireObject,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { Prediction } from "./prediction.js";
import { type RegressOptions, regress, type ScaleMixtureProcess } from "./regression.js";
import { checkInference, scaleBelief } from "./scale-posterior.js";
import { checkPrior, type ScalePrior } from "./scale-prior.js";
import { inUnits, standardised } from "./standard-units.js";

/** What is tried: every kernel with every noise and every prior. */
export interface Candidates {
  /** Such as networks of several weight variances. */
  readonly kernels: readonly Kernel[];
  /** Each > 0. Default 1e-6, 1e-5, ..., 1e4. */
  readonly noises?: readonly number[];
  /** Default inverse gamma with shape and rate in 1, 2, 3. */
  readonly priors?: readonly ScalePrior[];
}

/** Known targets. */
export interface Observations {
  /** `[n, d]`. */
  readonly x: TensorLike;
  /** `[n]`. */
  readonly y: TensorLike;
}

/** The best of what was tried. */
export interface Choice {
  /** Its place among the priors. */
  readonly prior: number;
  /** Its place among the kernels. */
  readonly kernel: number;
  /** Its place among the noises. */
  readonly noise: number;
  /** Mean negative log density of the validation targets. */
  readonly score: number;
}

/** After a kernel was tried. */
export interface ValidationRecord {
  /** Kernels tried. */
  readonly iteration: number;
  /** The least score of this kernel. */
  readonly score: number;
  /** The least score so far. */
  readonly best: number;
}

interface ValidationState {
  readonly tried: number;
  readonly score: number;
  /** The best for each prior; empty before the first kernel. */
  readonly best: readonly Choice[];
}

/** Options of {@link fitByValidation}. */
export interface ValidationOptions
  extends RunOptions<ValidationRecord, RunState<ValidationState, ValidationRecord>>,
    Pick<RegressOptions, "ridge" | "standardize" | "inference"> {
  /** Kernels at most (default all). */
  readonly maxIterations?: number;
}

/** What {@link fitByValidation} gives. */
export interface ValidationResult {
  /** The chosen process, given the training points; undefined where no kernel was tried. */
  readonly process: ScaleMixtureProcess | undefined;
  /** The choice; undefined where no kernel was tried. */
  readonly choice: Choice | undefined;
  /** The best choice with each of the priors, in their order. */
  readonly choices: readonly Choice[];
  /** How it ended: `"converged"` where all were tried. */
  readonly status: Status;
  /** Kernels tried. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly ValidationRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<ValidationState, ValidationRecord>;
}

const decades = Array.from({ length: 11 }, (_, k) => 10 ** (k - 6));
const levels = [1, 2, 3];
const grid = levels.flatMap((shape) => levels.map((rate): ScalePrior => ({ kind: "inverseGamma", shape, rate })));

/**
 * Chooses kernel, noise and prior by the density of validation targets (section 3): one eigendecomposition for each
 * kernel serves all noises and priors.
 *
 * @throws ShapeError, ValueError for input that does not fit.
 */
export async function fitByValidation(
  candidates: Candidates,
  train: Observations,
  validation: Observations,
  options: ValidationOptions = {},
): Promise<ValidationResult> {
  requireObject("fitByValidation", "candidates", candidates, "Candidates");
  requireObject("fitByValidation", "train", train, "Observations");
  requireObject("fitByValidation", "validation", validation, "Observations");
  const owner = "fitByValidation";
  checkOptions(owner, options, ["ridge", "standardize", "inference", "maxIterations", ...runOptionNames]);
  checkOptions(`${owner}: candidates`, candidates, ["kernels", "noises", "priors"]);
  const { kernels, noises = decades, priors = grid } = candidates;
  const { ridge = "absolute", standardize = false, inference = {}, maxIterations = kernels.length } = options;
  requireChoice(owner, "ridge", ridge, ["absolute", "relative"]);
  requireChoice(owner, "standardize", standardize, [true, false]);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const settings = checkInference(owner, inference);
  for (const [name, list] of Object.entries({ kernels, noises, priors })) {
    if (list.length === 0) throw new ValueError(`${owner}: candidates.${name} is empty; give one or more`);
  }
  for (const noise of noises) {
    if (!(noise > 0 && noise < Infinity))
      throw new ValueError(`${owner}: candidates.noises holds ${noise}; each must be > 0`);
  }
  for (const prior of priors) checkPrior(owner, prior);
  const { x, y, units } = standardised(train.x, train.y, standardize);
  const [vx, vy] = [inUnits(units?.x, validation.x), inUnits(units?.y, validation.y)];
  for (const [name, points, values] of [["train", x, y] as const, ["validation", vx, vy] as const]) {
    if (points.rank !== 2 || values.rank !== 1 || points.shape[0] !== values.size || values.size === 0) {
      throw new ShapeError(
        `${owner}: ${name}.x has shape [${points.shape}] and ${name}.y [${values.shape}]; give [n, d] and [n], n >= 1`,
      );
    }
    if (![...points.data(), ...values.data()].every(Number.isFinite)) {
      throw new ValueError(`${owner}: ${name} holds a value that is not finite`);
    }
  }
  const bestOf = (k: number): Choice[] => {
    const score = scorer(kernels[k], { x, y }, { x: vx, y: vy }, ridge);
    const scored = noises.map(score);
    return priors.map((prior, i) => {
      const each = scored.map(({ quadratic, predictionWith }, noise): Choice => {
        const { law } = scaleBelief(owner, prior, y.size, quadratic, settings);
        return { prior: i, kernel: k, noise, score: -mean(predictionWith(law).logDensity(vy)).item() };
      });
      const best = leastOf(each);
      if (!Number.isFinite(best.score)) throw new NonFiniteError(`kernel ${k} gives no finite density`);
      return best;
    });
  };
  const run = await runLoop<ValidationState, ValidationRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ tried: 0, score: Infinity, best: [] }),
      step({ tried, best }) {
        const found = bestOf(tried);
        const kept = best.length === 0 ? found : found.map((each, i) => leastOf([best[i], each]));
        return { tried: tried + 1, score: leastOf(found).score, best: kept };
      },
      record: ({ score, best }, iteration) => ({ iteration, score, best: leastOf(best).score }),
      finished: ({ tried }) => (tried >= kernels.length ? "converged" : undefined),
      check({ tried }) {
        if (tried > kernels.length) throw new ValueError(`${owner}: resume is a state of ${tried} kernels or more`);
      },
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  const choices = last.best;
  const choice = choices.length === 0 ? undefined : leastOf(choices);
  const process =
    choice === undefined
      ? undefined
      : regress(kernels[choice.kernel], train.x, train.y, {
          ...{ prior: priors[choice.prior], noise: noises[choice.noise], ridge, standardize, inference },
        });
  return { process, choice, choices, status, iterations, history, state };
}

const leastOf = (choices: readonly Choice[]): Choice => choices.reduce((a, b) => (b.score < a.score ? b : a));

/** Predictions for validation points as a function of the noise: K = V diag(values) V^T once. */
function scorer(
  kernel: Kernel,
  train: { readonly x: Tensor; readonly y: Tensor },
  validation: { readonly x: Tensor; readonly y: Tensor },
  ridge: "absolute" | "relative",
) {
  const { values, vectors } = linalg.eigh(kernel.matrix(train.x));
  const size = ridge === "relative" ? mean(kernel.diagonal(train.x)).item() : 1;
  const seen = matmul(transpose(vectors), train.y);
  const cross = matmul(kernel.matrix(validation.x, train.x), vectors);
  const before = kernel.diagonal(validation.x);
  // Rounding leaves eigenvalues a little below 0.
  const floor = values.maximum(0);
  return (noise: number) => {
    const variance = noise * size;
    const spectrum = add(floor, variance);
    const weighted = div(seen, spectrum);
    const location = matmul(cross, weighted);
    const known = sum(div(square(cross), spectrum), 1);
    const scale = add(sub(before, known).maximum(0), variance);
    return {
      quadratic: sum(mul(seen, weighted)).item(),
      predictionWith: (law: ConstructorParameters<typeof Prediction>[2]) => new Prediction(location, scale, law),
    };
  };
}
