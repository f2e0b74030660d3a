import type { ScaleDistribution } from "@offprint/gaussian-process";
import {
  checkOptions,
  type random,
  requireChoice,
  requirePositive,
  special,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** H, the prior of the variance sigma_v^2 of the last layer's weights: what all covariances are multiplied by. */
export type ScalePrior =
  /** Known: a Gaussian process. */
  | { readonly kind: "point" /** Default 1. */; readonly value?: number }
  /** The value of largest evidence, q / n: a Gaussian process whose scale is fitted (type-II maximum likelihood). */
  | { readonly kind: "fitted" }
  /** Density s^(-shape - 1) exp(-rate / s): a Student-t process of 2 shape degrees of freedom. */
  | { readonly kind: "inverseGamma"; readonly shape: number; readonly rate: number }
  /** Density s^(shape - 1) exp(-rate s): a variance-gamma process. */
  | { readonly kind: "gamma"; readonly shape: number; readonly rate: number }
  /** Burr's type XII: P(s <= t) = 1 - (1 + t^c)^-d. */
  | { readonly kind: "burr"; readonly c: number; readonly d: number }
  /** Any density. */
  | {
      readonly kind: "density";
      /** Its logarithm at s > 0; for an evidence that means something, of a density that integrates to 1. */
      readonly logDensity: (s: number) => number;
      /** A draw, for sampling from the prior. */
      readonly sample?: (rng: random.Rng) => number;
    };

const fields = {
  point: ["value"],
  fitted: [],
  inverseGamma: ["shape", "rate"],
  gamma: ["shape", "rate"],
  burr: ["c", "d"],
  density: ["logDensity", "sample"],
} as const;

/** @throws ValueError for what is not a prior of scales. */
export function checkPrior(owner: string, prior: ScalePrior): void {
  if (typeof prior !== "object" || prior === null) {
    throw new ValueError(
      `${owner}: prior is ${String(prior)}; give an object such as { kind: "inverseGamma", shape: 2, rate: 2 }`,
    );
  }
  requireChoice(owner, "prior.kind", prior.kind ?? null, Object.keys(fields));
  checkOptions(`${owner}: prior`, prior, ["kind", ...fields[prior.kind]]);
  if (prior.kind === "point") requirePositive(owner, "prior.value", prior.value ?? 1);
  if (prior.kind === "inverseGamma" || prior.kind === "gamma") {
    requirePositive(owner, "prior.shape", prior.shape);
    requirePositive(owner, "prior.rate", prior.rate);
  }
  if (prior.kind === "burr") {
    requirePositive(owner, "prior.c", prior.c);
    requirePositive(owner, "prior.d", prior.d);
  }
  if (prior.kind !== "density") return;
  for (const [name, value] of Object.entries({ logDensity: prior.logDensity, sample: prior.sample })) {
    if (typeof value === "function" || (name === "sample" && value === undefined)) continue;
    throw new ValueError(`${owner}: prior.${name} is ${typeof value}; it must be a function`);
  }
}

const lgamma = (x: number): number => special.lgamma(tensor(x, { dtype: "float64" })).item();

/** log p(s). @throws ValueError for priors without a density. */
export function priorLogDensity(owner: string, prior: ScalePrior): (s: number) => number {
  switch (prior.kind) {
    case "inverseGamma": {
      const { shape, rate } = prior;
      const constant = shape * Math.log(rate) - lgamma(shape);
      return (s) => constant - (shape + 1) * Math.log(s) - rate / s;
    }
    case "gamma": {
      const { shape, rate } = prior;
      const constant = shape * Math.log(rate) - lgamma(shape);
      return (s) => constant + (shape - 1) * Math.log(s) - rate * s;
    }
    case "burr": {
      const { c, d } = prior;
      // log(1 + s^c) without overflow.
      const lifted = (s: number) => {
        const power = c * Math.log(s);
        return Math.max(power, 0) + Math.log1p(Math.exp(-Math.abs(power)));
      };
      return (s) => Math.log(c * d) + (c - 1) * Math.log(s) - (d + 1) * lifted(s);
    }
    case "density":
      return prior.logDensity;
    default:
      throw new ValueError(`${owner}: a prior of kind "${prior.kind}" has no density; give "inverseGamma", for one`);
  }
}

/** A draw of s. @throws ValueError for priors that cannot be drawn from. */
export function drawScale(owner: string, prior: ScalePrior, rng: random.Rng): number {
  const gamma = (shape: number) => rng.gamma([], { concentration: shape, dtype: "float64" }).item();
  switch (prior.kind) {
    case "point":
      return prior.value ?? 1;
    case "inverseGamma":
      return prior.rate / gamma(prior.shape);
    case "gamma":
      return gamma(prior.shape) / prior.rate;
    case "burr":
      // 1 - u is never 0.
      return ((1 - rng.uniform([], { dtype: "float64" }).item()) ** (-1 / prior.d) - 1) ** (1 / prior.c);
    case "density":
      if (prior.sample !== undefined) return prior.sample(rng);
      throw new ValueError(`${owner}: prior has no sample(rng); give one, or compute by quadrature or "laplace"`);
    case "fitted":
      throw new ValueError(`${owner}: a prior of kind "fitted" has no draws; give "inverseGamma", for one`);
  }
}

/** The same as `@offprint/gaussian-process` has it; generic priors as their densities. */
export function distributionOf(owner: string, prior: Exclude<ScalePrior, { kind: "fitted" }>): ScaleDistribution {
  if (prior.kind === "point" || prior.kind === "inverseGamma") return prior;
  return { kind: "density", logDensity: priorLogDensity(owner, prior) };
}
