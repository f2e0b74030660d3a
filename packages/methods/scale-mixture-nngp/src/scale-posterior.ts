import { scaleAfter } from "@offprint/gaussian-process";
import { brentMinimize } from "@offprint/solvers";
import {
  checkOptions,
  random,
  requireChoice,
  requireInteger,
  special,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { distributionOf, drawScale, priorLogDensity, type ScalePrior } from "./scale-prior.js";
import { mixtureLaw, normalLaw, type StandardLaw, studentLaw } from "./standard-law.js";

/** A distribution of s > 0 to draw from. */
export interface ScaleProposal {
  /** log q(s). */
  readonly logDensity: (s: number) => number;
  /** A draw of s. */
  readonly sample: (rng: random.Rng) => number;
}

/** How the posterior of s is computed where it has no closed form. */
export interface ScaleInference {
  /** `"quadrature"` in log s (default), practically exact, or `"importance"` sampling, the paper's. */
  readonly method?: "quadrature" | "importance";
  /**
   * Where importance samples come from: the prior (the paper's), `"laplace"` (default; log-normal around the mode of the
   * posterior of log s, 1.5 times as wide, in strata), or one's own.
   */
  readonly proposal?: "prior" | "laplace" | ScaleProposal;
  /** Importance samples (default 1000). */
  readonly draws?: number;
  /** Of the samples (default 0). */
  readonly seed?: number | string;
}

/** What observations say of the scale s. */
export interface ScaleBelief {
  /** E s. */
  readonly mean: number;
  /** 1 / sum of squared weights: how many independent draws the importance samples are worth. Undefined without. */
  readonly effectiveSize?: number;
  /** Whether the samples are worth fewer than 100 draws: densities in the tails are then far off. */
  readonly unreliable: boolean;
  /** A draw of s. */
  readonly sample: (rng: random.Rng) => number;
  /** @internal The part of the log evidence that depends on s. */
  readonly logEvidence: number;
  /** @internal */
  readonly law: StandardLaw;
}

/** Samples worth fewer draws than this do not tell the tails. */
const FEWEST = 100;

/** @internal @throws ValueError */
export function checkInference(owner: string, inference: ScaleInference): Required<ScaleInference> {
  checkOptions(`${owner}: inference`, inference, ["method", "proposal", "draws", "seed"]);
  const { method = "quadrature", proposal = "laplace", draws = 1000, seed = 0 } = inference;
  requireChoice(owner, "inference.method", method, ["quadrature", "importance"]);
  if (typeof proposal === "string") requireChoice(owner, "inference.proposal", proposal, ["prior", "laplace"]);
  else if (typeof proposal?.logDensity !== "function" || typeof proposal.sample !== "function") {
    throw new ValueError(`${owner}: inference.proposal must be "prior", "laplace", or { logDensity, sample }`);
  }
  requireInteger(owner, "inference.draws", draws, 1);
  return { method, proposal, draws, seed };
}

/** @internal The posterior of s after n observations whose y^T K^-1 y is q: closed forms where there are (section 3). */
export function scaleBelief(
  owner: string,
  prior: ScalePrior,
  n: number,
  q: number,
  inference: Required<ScaleInference>,
): ScaleBelief {
  if (prior.kind === "fitted") {
    if (n === 0 || q === 0) {
      throw new ValueError(
        `${owner}: a prior of kind "fitted" needs observations that differ from the mean; give some`,
      );
    }
    return scaleBelief(owner, { kind: "point", value: q / n }, n, q, inference);
  }
  const closed = prior.kind === "point" || prior.kind === "inverseGamma";
  if (!closed && inference.method === "importance") return bySampling(owner, prior, n, q, inference);
  const { mean, logEvidence, sample, grid } = scaleAfter(distributionOf(owner, prior), { count: n, quadratic: q });
  const found = { mean, logEvidence, sample, unreliable: false };
  if (prior.kind === "point") return { ...found, law: normalLaw(prior.value ?? 1) };
  if (prior.kind === "inverseGamma") return { ...found, law: studentLaw(prior.shape + n / 2, prior.rate + q / 2) };
  if (grid === undefined) throw new Error("a density without its grid");
  return { ...found, law: mixtureLaw(grid.scales, Float64Array.from(grid.probabilities, Math.log)) };
}

/** log w_i = log p(s_i) - log q(s_i) - n/2 log s_i - q / (2 s_i). */
function bySampling(
  owner: string,
  prior: ScalePrior,
  n: number,
  q: number,
  { proposal, draws, seed }: Required<ScaleInference>,
): ScaleBelief {
  const likelihood = (s: number) => -(n / 2) * Math.log(s) - q / (2 * s);
  const rng = random.rng(seed);
  let scales: Float64Array;
  let logs: Float64Array;
  if (proposal === "prior") {
    scales = Float64Array.from({ length: draws }, () => drawScale(owner, prior, rng));
    logs = scales.map(likelihood);
  } else {
    const density = priorLogDensity(owner, prior);
    const from =
      proposal === "laplace" ? laplaceDraws(owner, prior, { n, q }, draws, rng) : ownDraws(proposal, draws, rng);
    scales = from.scales;
    logs = scales.map((s, i) => density(s) + likelihood(s) - from.logDensities[i]);
  }
  const top = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(top)) {
    throw new ValueError(`${owner}: no importance sample has a likelihood; take the "laplace" proposal or quadrature`);
  }
  const total = logs.reduce((sofar, log) => sofar + Math.exp(log - top), 0);
  const logWeights = logs.map((log) => log - top - Math.log(total));
  const weights = logWeights.map(Math.exp);
  const effectiveSize = 1 / weights.reduce((sofar, w) => sofar + w * w, 0);
  const cumulative = new Float64Array(draws);
  weights.forEach((w, i) => {
    cumulative[i] = w + (i === 0 ? 0 : cumulative[i - 1]);
  });
  const law = mixtureLaw(scales, logWeights);
  return {
    mean: law.variance,
    effectiveSize,
    unreliable: effectiveSize < FEWEST,
    logEvidence: top + Math.log(total / draws),
    law,
    sample(source) {
      const level = source.uniform([], { dtype: "float64" }).item() * cumulative[draws - 1];
      return scales[cumulative.findIndex((sofar) => sofar >= level)];
    },
  };
}

interface Draws {
  readonly scales: Float64Array;
  readonly logDensities: Float64Array;
}

function ownDraws(proposal: ScaleProposal, draws: number, rng: random.Rng): Draws {
  const scales = Float64Array.from({ length: draws }, () => proposal.sample(rng));
  return { scales, logDensities: scales.map((s) => proposal.logDensity(s)) };
}

/** How much wider than Laplace's approximation is drawn. */
const INFLATION = 1.5;

function laplaceDraws(
  owner: string,
  prior: ScalePrior,
  { n, q }: { readonly n: number; readonly q: number },
  draws: number,
  rng: random.Rng,
): Draws {
  // In t = log s, whose measure adds t.
  const density = priorLogDensity(owner, prior);
  const height = (t: number) => density(Math.exp(t)) - (n / 2) * t - q / (2 * Math.exp(t)) + t;
  const { grid } = scaleAfter({ kind: "density", logDensity: density }, { count: n, quadratic: q });
  const start = Array.from(grid!.scales, Math.log).reduce((best, t) => (height(t) > height(best) ? t : best));
  const { x: mode } = brentMinimize((t) => -height(t), start - 0.5, start + 0.5);
  const h = 1e-3;
  const curvature = -(height(mode + h) - 2 * height(mode) + height(mode - h)) / h ** 2;
  if (!(curvature > 0 && Number.isFinite(curvature))) {
    throw new ValueError(`${owner}: the posterior of log s has no smooth mode for "laplace"; take quadrature`);
  }
  const width = INFLATION / Math.sqrt(curvature);
  const u = rng.uniform([draws], { dtype: "float64" }).data();
  const strata = Float64Array.from(u, (v, i) => (2 * (i + v)) / draws - 1);
  const z = special
    .erfinv(tensor(strata, { dtype: "float64" }))
    .mul(Math.SQRT2)
    .data();
  return {
    scales: Float64Array.from(z, (v) => Math.exp(mode + width * v)),
    logDensities: Float64Array.from(z, (v) => {
      const t = mode + width * v;
      return -(v ** 2) / 2 - Math.log(width * Math.sqrt(2 * Math.PI)) - t;
    }),
  };
}
