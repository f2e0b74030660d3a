import {
  add,
  checkOptions,
  div,
  less,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  type random,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  special,
  square,
  sub,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
  where,
} from "@offprint/tensor-core";

/**
 * How large the covariance is: `y | s ~ N(mean, s K)` with s from this distribution. With an inverse gamma
 * distribution that is a Student-t process.
 */
export type ScaleDistribution =
  /** s is known. */
  | { readonly kind: "point" /** Default 1. */; readonly value?: number }
  /** 1/s has a gamma distribution: 2 shape degrees of freedom. */
  | { readonly kind: "inverseGamma"; readonly shape: number; readonly rate: number }
  /** Any density on s > 0, up to a factor; what is asked of it is computed on a grid. */
  | { readonly kind: "density"; readonly logDensity: (s: number) => number };

/** What observations say of the scale. */
export interface ScalePosterior {
  /** E s: what variances are multiplied by. Infinite where s has no mean. */
  readonly mean: number;
  /** Of the Student-t distribution that predictions have; infinite for a point, undefined for other densities. */
  readonly degreesOfFreedom?: number;
  /** The part of the log evidence that depends on the scale. */
  readonly logEvidence: number;
  /** A draw of s. */
  readonly sample: (rng: random.Rng) => number;
  /** For densities: the values of s on which it is computed, and their probabilities. */
  readonly grid?: { readonly scales: Float64Array; readonly probabilities: Float64Array };
}

/**
 * What observations say of the scale: `count` numbers whose r^T K^-1 r is `quadratic`. The evidence lacks what does not
 * depend on s: the log determinant and (count / 2) log 2 pi.
 *
 * @throws ValueError for what is not a distribution of scales.
 */
export function scaleAfter(
  scale: ScaleDistribution,
  options: { readonly count: number; readonly quadratic: number },
): ScalePosterior {
  requireObject("scaleAfter", "scale", scale, "a ScaleDistribution");
  requireObject("scaleAfter", "options", options, "{ count, quadratic }");
  const { count, quadratic } = options;
  checkScale("scaleAfter", scale);
  requireInteger("scaleAfter", "count", count, 0);
  requireNonNegative("scaleAfter", "quadratic", quadratic);
  return scalePosterior("scaleAfter", scale, count, quadratic);
}

/** @internal @throws ValueError for what is not a distribution of scales. */
export function checkScale(owner: string, scale: ScaleDistribution): void {
  if (typeof scale !== "object" || scale === null) {
    throw new ValueError(`${owner}: scale is ${String(scale)}; give an object such as { kind: "point" }`);
  }
  requireChoice(owner, "scale.kind", scale.kind ?? null, ["point", "inverseGamma", "density"]);
  const known = { point: ["value"], inverseGamma: ["shape", "rate"], density: ["logDensity"] }[scale.kind];
  checkOptions(`${owner}: scale`, scale, ["kind", ...known]);
  if (scale.kind === "point") requirePositive(owner, "scale.value", scale.value ?? 1);
  if (scale.kind === "inverseGamma") {
    requirePositive(owner, "scale.shape", scale.shape);
    requirePositive(owner, "scale.rate", scale.rate);
  }
  if (scale.kind === "density" && typeof scale.logDensity !== "function") {
    throw new ValueError(`${owner}: scale.logDensity is ${typeof scale.logDensity}; it must be a function of s`);
  }
}

/** @internal The parameters of a scale's distribution that can be fitted, as positive tensors. */
export interface ScaleValues {
  readonly shape: Tensor;
  readonly rate: Tensor;
}

/**
 * @internal The part of the log evidence that the scale decides, as a function of r^T K^-1 r and, for an inverse gamma
 * distribution, of shape and rate; traceable.
 */
export function scaleEvidence(
  owner: string,
  scale: ScaleDistribution,
  count: number,
  quadratic: Tensor,
  fitted?: ScaleValues,
): Tensor {
  if (scale.kind === "point") {
    const s = scale.value ?? 1;
    return sub(mul(-0.5 / s, quadratic), (count / 2) * Math.log(s));
  }
  if (scale.kind === "density") {
    throw new UnsupportedError(
      `${owner}: a scale with a density of one's own has no gradient; fit with "inverseGamma"`,
    );
  }
  const { shape, rate } = fitted ?? { shape: float64(scale.shape), rate: float64(scale.rate) };
  // Of shape and rate that grow without end together nothing must cancel: lgamma(a + m) - lgamma(a) is about m log a.
  const m = count / 2;
  const place = div(add(rate, mul(0.5, quadratic)), shape);
  const tail = mul(shape, log1p(div(mul(0.5, quadratic), rate)));
  return sub(gammaRatio(shape, m), add(tail, mul(m, log(place))));
}

/** Shapes from which Stirling's series has all digits. */
const LARGE = 100;

/** log Gamma(a + m) - log Gamma(a) - m log a, which falls to 0 as a grows. */
function gammaRatio(a: Tensor, m: number): Tensor {
  const small = minimum(a, LARGE);
  const exact = sub(sub(special.lgamma(add(small, m)), special.lgamma(small)), mul(m, log(small)));
  const large = maximum(a, LARGE);
  const rest = (x: Tensor) => sub(div(1 / 12, x), div(1 / 360, mul(x, square(x))));
  const leading = sub(mul(add(large, m - 0.5), log1p(div(m, large))), m);
  return where(less(a, LARGE), exact, add(leading, sub(rest(add(large, m)), rest(large))));
}

const float64 = (x: number): Tensor => tensor(x, { dtype: "float64" });

/** @internal What `count` observations with r^T K^-1 r = `quadratic` say of the scale. */
export function scalePosterior(
  owner: string,
  scale: ScaleDistribution,
  count: number,
  quadratic: number,
): ScalePosterior {
  if (scale.kind === "density") return onGrid(owner, scale.logDensity, count, quadratic);
  const logEvidence = scaleEvidence(owner, scale, count, float64(quadratic)).item();
  if (scale.kind === "point") {
    const value = scale.value ?? 1;
    return { mean: value, degreesOfFreedom: Infinity, logEvidence, sample: () => value };
  }
  const [shape, rate] = [scale.shape + count / 2, scale.rate + quadratic / 2];
  return {
    mean: shape > 1 ? rate / (shape - 1) : Infinity,
    degreesOfFreedom: 2 * shape,
    logEvidence,
    sample: (rng) => rate / rng.gamma([], { concentration: shape, dtype: "float64" }).item(),
  };
}

/** log s from 1e-26 to 1e26, and about q / n where that is near the ends or beyond: where the mass is is looked for first. */
const WIDEST = 60;
const COARSE = 0.05;
/** Then it is integrated over. */
const FINE = 500;
/** Densities below exp(-40) of the largest have no share. */
const NEGLIGIBLE = 40;

function onGrid(owner: string, logDensity: (s: number) => number, count: number, quadratic: number): ScalePosterior {
  // In u = log s, whose measure adds u.
  const height = (u: number) => {
    const s = Math.exp(u);
    const value = logDensity(s) + u - quadratic / (2 * s) - (count / 2) * u;
    return Number.isNaN(value) ? -Infinity : value;
  };
  const told = count > 0 && quadratic > 0 ? Math.log(quadratic / count) : 0;
  const [least, most] = [Math.min(-WIDEST, told - WIDEST / 2), Math.max(WIDEST, told + WIDEST / 2)];
  const cells = Math.round((most - least) / COARSE);
  const coarse = Array.from({ length: cells + 1 }, (_, k) => least + ((most - least) * k) / cells);
  const heights = coarse.map(height);
  const top = heights.reduce((a, b) => Math.max(a, b));
  if (!Number.isFinite(top)) {
    throw new ValueError(
      `${owner}: scale.logDensity is finite nowhere, or infinite; it must be the log of a density on s > 0`,
    );
  }
  const within = coarse.filter((_, k) => heights[k] > top - NEGLIGIBLE);
  const cell = (most - least) / cells;
  const [low, high] = [within[0] - cell, within[within.length - 1] + cell];
  const step = (high - low) / FINE;
  const nodes = Array.from({ length: FINE + 1 }, (_, k) => low + k * step);
  const masses = nodes.map((u) => Math.exp(height(u) - top));
  const total = masses.reduce((a, b) => a + b, 0);
  if (!(total > 0 && total < Infinity)) {
    throw new ValueError(
      `${owner}: between scale.logDensity and observations whose q is ${quadratic} nothing is left to integrate; bring both to ` +
        "the same units, such as by standardising the observations",
    );
  }
  const cumulative: number[] = [];
  masses.reduce((sofar, mass, k) => {
    cumulative[k] = sofar + mass;
    return cumulative[k];
  }, 0);
  return {
    mean: masses.reduce((sofar, mass, k) => sofar + mass * Math.exp(nodes[k]), 0) / total,
    logEvidence: top + Math.log(total * step),
    sample(rng) {
      const level = rng.uniform([], { dtype: "float64" }).item() * total;
      const k = cumulative.findIndex((sofar) => sofar >= level);
      return Math.exp(nodes[k]);
    },
    grid: {
      scales: Float64Array.from(nodes, Math.exp),
      probabilities: Float64Array.from(masses, (mass) => mass / total),
    },
  };
}
