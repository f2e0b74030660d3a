import {
  checkOptions,
  requireChoice,
  requireNonNegative,
  requireObject,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import { type Branch, noiseOf, spiked } from "./batch-extremes.js";
import { effectiveBatch } from "./effective-batch.js";

/** The curvature that limits a step, and the noise of batches. */
export interface NoisyCurvature {
  /** `lambda_1`, the largest eigenvalue of the full Hessian, > 0. */
  readonly lambda1: number;
  /** `Gamma`, >= 0. */
  readonly gamma: number;
  /** `b`, the effective batch, > 0: {@link effectiveBatch}. */
  readonly effective: number;
  /** What is said of an eigenvalue below the noise (default `"theorem"`; `"always-spike"` for a fitted Gamma). */
  readonly branch?: Branch;
}

/** What {@link maxLearningRate} takes. */
export interface MaxLearningRateOptions extends NoisyCurvature {
  /** Which kind of method the rate is for (default `"sgd"`). */
  readonly optimizer?: "sgd" | "heavy-ball" | "adaptive";
  /** Momentum of heavy ball, in [0, 1) (default 0). */
  readonly momentum?: number;
  /** Damping of an adaptive method, such as Adam's epsilon, > 0; it needs one. */
  readonly damping?: number;
}

function curvatureOf(owner: string, { lambda1, gamma, effective, branch = "theorem" }: NoisyCurvature) {
  requirePositive(owner, "lambda1", lambda1);
  requireChoice(owner, "branch", branch, ["theorem", "always-spike"]);
  const variance = noiseOf(owner, { gamma, effective });
  return { top: spiked(lambda1, variance, branch), variance };
}

/**
 * The largest learning rate at which steps on batches are stable. For SGD `2 / lambda'_1`: proportional to the batch while
 * noise dominates, `2 / lambda_1` for large ones. For heavy ball `2 (1 + momentum) / lambda'_1`. For adaptive methods, which
 * take sharp directions away, the noise's bulk is the limit: `damping / sqrt(Gamma / b)`, proportional to the batch's root.
 *
 * @throws ValueError for numbers out of range.
 */
export function maxLearningRate(options: MaxLearningRateOptions): number {
  const owner = "maxLearningRate";
  checkOptions(
    owner,
    options,
    ["lambda1", "gamma", "effective", "branch", "optimizer", "momentum", "damping"],
    ["lambda1", "gamma", "effective"],
  );
  const { optimizer = "sgd", momentum = 0, damping } = options;
  requireChoice(owner, "optimizer", optimizer, ["sgd", "heavy-ball", "adaptive"]);
  if (!(momentum >= 0 && momentum < 1)) {
    throw new ValueError(`${owner}: momentum is ${momentum}; it must be in [0, 1)`);
  }
  const { top, variance } = curvatureOf(owner, options);
  if (options.momentum !== undefined && optimizer !== "heavy-ball") {
    throw new ValueError(`${owner}: momentum is of the optimizer "heavy-ball", which is "${optimizer}"; leave it out`);
  }
  if (damping !== undefined && optimizer !== "adaptive") {
    throw new ValueError(`${owner}: damping is of the optimizer "adaptive", which is "${optimizer}"; leave it out`);
  }
  if (optimizer === "sgd") return 2 / top;
  if (optimizer === "heavy-ball") return (2 * (1 + momentum)) / top;
  if (damping === undefined) throw new ValueError(`${owner}: damping is missing; an adaptive method needs it`);
  requirePositive(owner, "damping", damping);
  return damping / Math.sqrt(variance);
}

/** What {@link minDamping} takes. */
export interface MinDampingOptions extends NoisyCurvature {
  /** `alpha`, the learning rate, > 0. */
  readonly learningRate: number;
}

/**
 * The least damping `delta` of a second-order method with steps `alpha / (lambda_1 + delta)` at which batches leave it
 * stable: `max(0, alpha lambda'_1 / 2 - lambda_1)`, whose part from noise is proportional to `alpha / b`.
 *
 * @throws ValueError for numbers out of range.
 */
export function minDamping(options: MinDampingOptions): number {
  const owner = "minDamping";
  checkOptions(
    owner,
    options,
    ["lambda1", "gamma", "effective", "branch", "learningRate"],
    ["learningRate", "lambda1", "gamma", "effective"],
  );
  requirePositive(owner, "learningRate", options.learningRate);
  const { top } = curvatureOf(owner, options);
  return Math.max(0, (options.learningRate * top) / 2 - options.lambda1);
}

/** How a learning rate follows the batch size. */
export type ScalingRule =
  | "linear"
  | "square-root"
  | "none"
  | {
      /** `lambda_1`, > 0. */
      readonly lambda1: number;
      /** `Gamma`, >= 0. */
      readonly gamma: number;
      /** `N`; infinite (the default) for a stream of new samples. */
      readonly samples?: number;
      /** See {@link NoisyCurvature.branch}. */
      readonly branch?: Branch;
    };

/**
 * The learning rate for batches of `to` samples from the one for batches of `from`: linear (SGD on small batches),
 * by the square root (adaptive methods), or exactly by curvature and noise, which goes over from linear to constant.
 *
 * @throws ValueError for numbers out of range.
 */
export function scaleLearningRate(learningRate: number, from: number, to: number, rule: ScalingRule): number {
  const owner = "scaleLearningRate";
  requirePositive(owner, "learningRate", learningRate);
  const samples = typeof rule === "object" ? rule.samples : undefined;
  const [before, after] = [effectiveBatch(from, samples), effectiveBatch(to, samples)];
  if (rule === "none") return learningRate;
  if (rule === "linear") return (learningRate * to) / from;
  if (rule === "square-root") return learningRate * Math.sqrt(to / from);
  if (typeof rule !== "object" || rule === null) {
    throw new ValueError(
      `${owner}: rule is ${String(rule)}; it must be "linear", "square-root", "none" or { lambda1, gamma, samples }`,
    );
  }
  checkOptions(`${owner}: rule`, rule, ["lambda1", "gamma", "samples", "branch"]);
  const { samples: _, ...curvature } = rule;
  const top = (effective: number) => curvatureOf(owner, { ...curvature, effective }).top;
  return (learningRate * top(before)) / top(after);
}

/** The spectrum of a Hessian as few nodes, with the part of the parameters that each stands for. */
export interface SpectrumNodes {
  /** Eigenvalue estimates, ascending. */
  readonly nodes: ArrayLike<number>;
  /** Their weights, which sum to 1. */
  readonly weights: ArrayLike<number>;
}

/** How learning rate and momentum follow from a spectrum. */
export interface PolyakOptions {
  /** What stands for the smallest curvature (default `"mean"`); `"zero"` is not recommended. */
  readonly smallest?: "mean" | "min-positive" | "abs-mean" | "zero";
  /** `s`, part of the noiseless optimum that is taken, in (0, 1] (default 0.125). */
  readonly safety?: number;
  /** Most momentum, in [0, 1) (default 0.99). */
  readonly maxMomentum?: number;
  /** False for steps without momentum: `4 s / L` (default true). */
  readonly momentum?: boolean;
  /** Largest curvature in place of the largest node, such as one corrected for the batch's noise. */
  readonly largest?: number;
}

/** What {@link polyak} gives. */
export interface PolyakRates {
  /** `alpha`. */
  readonly learningRate: number;
  /** `rho`. */
  readonly momentum: number;
  /** `L`, the largest curvature. */
  readonly largest: number;
  /** `mu`, what stood for the smallest. */
  readonly smallest: number;
}

/** Of the largest curvature: least value of what stands for the smallest. A mean below it comes of a batch's noise. */
const floor = 1e-3;

/**
 * Polyak's heavy ball for curvatures between `mu` and `L`: `alpha = s (2 / (sqrt L + sqrt mu))^2`,
 * `rho = ((sqrt L - sqrt mu) / (sqrt L + sqrt mu))^2`.
 *
 * @returns nothing where no curvature is positive.
 * @throws ValueError for options out of range.
 */
export function polyak(spectrumNodes: SpectrumNodes, options: PolyakOptions = {}): PolyakRates | undefined {
  requireObject("polyak", "spectrumNodes", spectrumNodes, "SpectrumNodes");
  const { nodes, weights } = spectrumNodes;
  const owner = "polyak";
  requireObject(owner, "spectrumNodes.nodes", nodes, "an array of curvatures");
  checkOptions(owner, options, ["smallest", "safety", "maxMomentum", "momentum", "largest"]);
  const { smallest = "mean", safety = 0.125, maxMomentum = 0.99, momentum = true } = options;
  requireChoice(owner, "smallest", smallest, ["mean", "min-positive", "abs-mean", "zero"]);
  requirePositive(owner, "safety", safety);
  requireNonNegative(owner, "maxMomentum", maxMomentum);
  if (safety > 1) throw new ValueError(`${owner}: safety is ${safety}; it must be at most 1`);
  if (maxMomentum >= 1) throw new ValueError(`${owner}: maxMomentum is ${maxMomentum}; it must be below 1`);
  const values = Array.from(nodes);
  if (weights?.length !== values.length) {
    throw new ValueError(`${owner}: ${values.length} nodes have ${weights?.length ?? 0} weights; give one for each`);
  }
  const largest = options.largest ?? Math.max(...values);
  if (!(largest > 0) || !Number.isFinite(largest)) return undefined;
  const mean = (of: (x: number) => number) => values.reduce((sum, x, i) => sum + weights[i] * of(x), 0);
  const mu = Math.min(
    largest,
    {
      mean: () =>
        Math.max(
          mean((x) => x),
          floor * largest,
        ),
      "min-positive": () => Math.min(largest, ...values.filter((x) => x > 1e-6 * largest)),
      "abs-mean": () => mean(Math.abs),
      zero: () => 0,
    }[smallest](),
  );
  if (!momentum) return { learningRate: (4 * safety) / largest, momentum: 0, largest, smallest: mu };
  const [high, low] = [Math.sqrt(largest), Math.sqrt(mu)];
  return {
    learningRate: safety * (2 / (high + low)) ** 2,
    momentum: Math.min(((high - low) / (high + low)) ** 2, maxMomentum),
    largest,
    smallest: mu,
  };
}
