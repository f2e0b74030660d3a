import { makeBreather } from "@offprint/solvers";
import {
  checkOptions,
  equal,
  exp,
  greater,
  hostTensor,
  jitSync,
  less,
  matmul,
  min,
  mul,
  random,
  requireInteger,
  requirePositive,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { requireAlpha, requireDecided } from "./consensus-point.js";
import { type GradientSource, gradientOf } from "./gradient.js";
import { type CboProblem, perCoordinate, readTensor, requireGiven, settleProblem } from "./problem.js";

/** Options of `hopGradient`. */
export interface HopOptions {
  /** Standard deviation s of the samples around the point, > 0. */
  width: number;
  /** Inverse temperature, > 0 and finite. tau = alpha width^2 is the length of the step. */
  alpha: number;
  /** Number of samples, >= 1. Default 10 000. */
  samples?: number;
  /** Default 0. */
  seed?: number | string;
  /** Also take the weighted mean of gradients over the samples, which the hop equals as they become many. */
  gradient?: GradientSource;
}

/** A hop, and the gradient it amounts to. */
export interface Hop {
  /** `(x - h(x)) / (alpha s^2)`, an estimate of a smoothed gradient from values alone, `[d]` (float64). */
  readonly gradient: Tensor;
  /** h(x), the consensus of the samples, `[d]`. */
  readonly point: Tensor;
  /** Effective number of samples, in [1, samples]. */
  readonly nEff: number;
  /** `sum w grad E / sum w`, `[d]`, where `gradient` was asked for. */
  readonly weightedGradient: Tensor | undefined;
  /** What may be wrong with width, alpha or the number of samples, in sentences. */
  readonly warnings: readonly string[];
}

/** Samples that are drawn and evaluated at once. */
const CHUNK = 1 << 15;
const FEW_SAMPLES = 5;
/** Samples that are no further from x than so many times its size differ by rounding more than by chance. */
const ROUNDING = 1e-13;

/**
 * One hop of consensus hopping from x, with samples N(x, s^2 I), read as a gradient step: for many samples
 * `x - h(x) = alpha s^2 E_w[grad E]`, the gradient averaged with the weights of the consensus. For a small step it is the
 * gradient at x, for large alpha that at the proximal point of tau = alpha s^2.
 *
 * No hop is longer than about `s sqrt(2 ln samples)`. Where the step would be, the consensus is just the best sample: a
 * warning says so, and a small `nEff` shows it.
 * @throws ValueError and ShapeError for options out of range and where no sample has a finite energy.
 * @example
 * ```ts
 * import { hopGradient } from "@offprint/cbo";
 *
 * const problem = { objective: { perParticle: (v: Float64Array) => v[0] ** 2 + Math.abs(v[1]) } };
 * const { gradient } = await hopGradient(problem, [1, 2], { width: 0.1, alpha: 1, samples: 100_000 });
 * console.log(String(gradient)); // about [2, 1]
 * ```
 */
export async function hopGradient(problem: CboProblem, x: TensorLike, options: HopOptions): Promise<Hop> {
  const owner = "hopGradient";
  requireGiven(owner, options, ["width", "alpha"]);
  checkOptions(owner, options, ["width", "alpha", "samples", "seed", "gradient"]);
  const at = readTensor(owner, "x", x);
  const { evaluator, dimension: d } = settleProblem(owner, problem, { x: at });
  const centre = perCoordinate(owner, "x", at, d);
  const { width, alpha, samples = 10_000, seed = 0 } = options;
  requirePositive(owner, "width", width);
  requireAlpha(owner, alpha);
  if (!(alpha > 0 && alpha < Infinity)) {
    throw new ValueError(`${owner}: alpha is ${alpha}; a hop of length alpha width^2 needs a finite alpha > 0`);
  }
  requireInteger(owner, "samples", samples, 1);
  requireFelt(owner, centre, width, alpha);
  const gradients = options.gradient === undefined ? undefined : gradientOf(owner, evaluator, d, options.gradient);
  const rng = random.rng(seed);
  const mean = new RunningMean(alpha, gradients ? 2 * d : d);
  const breather = makeBreather();
  for (let done = 0; done < samples; done += CHUNK) {
    if (breather.due()) await breather.pause();
    const n = Math.min(CHUNK, samples - done);
    const values = rng.normal([n, d], { dtype: "float64" }).data() as Float64Array;
    for (let i = 0; i < values.length; i++) values[i] = centre[i % d] + width * values[i];
    const points = hostTensor(values, [n, d], "float64");
    mean.add(await evaluator.evaluate(points), [values, ...(gradients ? [await gradients.at(points)] : [])], d);
  }
  requireDecided(owner, mean, samples, "");
  const both = mean.mean();
  const point = both.slice(0, d);
  const tau = alpha * width * width;
  const gradient = centre.map((value, j) => (value - point[j]) / tau);
  const vector = (v: Float64Array) => hostTensor(v, [d], "float64");
  return {
    gradient: vector(gradient),
    point: vector(point),
    nEff: mean.nEff,
    weightedGradient: gradients && vector(both.slice(d)),
    warnings: warningsOf(mean.nEff, Math.hypot(...gradient) * tau, width, samples),
  };
}

/** A width that rounding swallows, beside x or as the length of the step, would give 0 or no number for a gradient. */
function requireFelt(owner: string, centre: Float64Array, width: number, alpha: number): void {
  const largest = centre.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const least = ROUNDING * largest;
  const tau = alpha * width * width;
  if (width > least && tau > 0 && tau < Infinity) return;
  throw new ValueError(
    `${owner}: width is ${width}, for x as large as ${largest} and alpha ${alpha}; it must exceed ${least}, and alpha ` +
      "width^2 must be a finite number > 0",
  );
}

function warningsOf(nEff: number, length: number, width: number, samples: number): string[] {
  const warnings: string[] = [];
  const reach = width * Math.sqrt(2 * Math.log(Math.max(2, samples)));
  if (nEff < FEW_SAMPLES) {
    warnings.push(`only ${nEff.toPrecision(2)} samples decide; take more of them, a smaller alpha or a larger width`);
  }
  if (length > 0.75 * reach) {
    warnings.push(
      `the hop of ${length.toPrecision(3)} is as long as the samples reach (${reach.toPrecision(3)}): its length says little ` +
        "about the gradient; take a smaller alpha",
    );
  }
  return warnings;
}

/** Sums over a batch of samples, weighted as beside its least energy; samples without a finite energy do not count. */
const weightedSums = jitSync((energies: Tensor, columns: readonly Tensor[], alpha: Tensor) => {
  const counts = less(energies, Infinity);
  const least = min(where(counts, energies, Infinity));
  const weights = where(counts, where(equal(energies, least), 1, exp(mul(alpha, sub(least, energies)))), 0);
  const row = reshape(weights, [1, -1]);
  // A sample of no weight may have a gradient that is no number.
  const weighs = greater(reshape(weights, [-1, 1]), 0);
  const sums = columns.map((column) => reshape(matmul(row, where(weighs, column, 0)), [-1]));
  return { least, total: sum(weights), squares: sum(square(weights)), sums };
});

/** A weighted mean over batches whose least energy is not known beforehand. */
class RunningMean {
  least = Infinity;
  private total = 0;
  private squares = 0;
  private readonly sums: Float64Array;

  constructor(
    private readonly alpha: number,
    size: number,
  ) {
    this.sums = new Float64Array(size);
  }

  /** Adds rows of d numbers from each of the columns. */
  add(energies: ArrayLike<number>, columns: readonly ArrayLike<number>[], d: number): void {
    const n = energies.length;
    const batch = weightedSums(
      hostTensor(Float64Array.from(energies), [n], "float64"),
      columns.map((column) => hostTensor(Float64Array.from(column), [n, d], "float64")),
      tensor(this.alpha, { dtype: "float64" }),
    );
    const least = batch.least.item();
    if (!(least < Infinity)) return;
    const lower = Math.min(least, this.least);
    this.scale(this.total === 0 ? 0 : Math.exp(this.alpha * (lower - this.least)));
    const factor = least === lower ? 1 : Math.exp(this.alpha * (lower - least));
    this.least = lower;
    this.total += factor * batch.total.item();
    this.squares += factor * factor * batch.squares.item();
    batch.sums.forEach((sums, c) => {
      sums.data().forEach((value: number, j: number) => {
        this.sums[c * d + j] += factor * value;
      });
    });
  }

  private scale(factor: number): void {
    if (factor === 1) return;
    this.total *= factor;
    this.squares *= factor * factor;
    for (let j = 0; j < this.sums.length; j++) this.sums[j] *= factor;
  }

  get nEff(): number {
    return (this.total * this.total) / this.squares;
  }

  mean(): Float64Array {
    return this.sums.map((sum) => sum / this.total);
  }
}
