import { meanOf } from "@offprint/claims";
import type { Dataset } from "@offprint/data";
import { minimizeLbfgsSync } from "@offprint/solvers";
import type { Rng } from "@offprint/tensor-core";

/** Softmax regression on plain arrays: the claims make millions of steps of a few hundred operations each. */
export class SoftmaxRegression {
  readonly inputs: Float64Array;
  readonly labels: Int32Array;
  readonly features: number;
  readonly classes: number;
  private readonly probabilities: Float64Array;

  /**
   * @param inputs - `[samples, features]`, row by row
   * @param labels - `[samples]`
   */
  constructor(inputs: Float64Array, labels: Int32Array, features: number, classes: number) {
    this.inputs = inputs;
    this.labels = labels;
    this.features = features;
    this.classes = classes;
    this.probabilities = new Float64Array(classes);
  }

  get samples(): number {
    return this.labels.length;
  }

  /** Leaves a sample's scores in `probabilities`, four classes at a time: a million steps take half as long so. */
  private score(weights: Float64Array, sample: number): void {
    const { inputs, features, classes, probabilities: p } = this;
    const row = sample * features;
    let c = 0;
    for (; c + 3 < classes; c += 4) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let j = 0, k = c; j < features; j++, k += classes) {
        const x = inputs[row + j];
        s0 += x * weights[k];
        s1 += x * weights[k + 1];
        s2 += x * weights[k + 2];
        s3 += x * weights[k + 3];
      }
      p[c] = s0;
      p[c + 1] = s1;
      p[c + 2] = s2;
      p[c + 3] = s3;
    }
    for (; c < classes; c++) {
      let score = 0;
      for (let j = 0, k = c; j < features; j++, k += classes) score += inputs[row + j] * weights[k];
      p[c] = score;
    }
  }

  /** Leaves a sample's class probabilities in `probabilities`; gives what its loss is made of. */
  private forward(weights: Float64Array, sample: number): { top: number; own: number; sum: number } {
    const { classes, probabilities: p } = this;
    this.score(weights, sample);
    let top = -Infinity;
    for (let c = 0; c < classes; c++) if (p[c] > top) top = p[c];
    const own = p[this.labels[sample]];
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += p[c] = Math.exp(p[c] - top);
    for (let c = 0; c < classes; c++) p[c] /= sum;
    return { top, own, sum };
  }

  /** Adds `scale` times the gradient of one sample's loss to `gradient`. */
  private accumulate(weights: Float64Array, sample: number, gradient: Float64Array, scale: number): void {
    const { inputs, features, classes, probabilities: p } = this;
    this.forward(weights, sample);
    const row = sample * features;
    p[this.labels[sample]] -= 1;
    for (let c = 0; c < classes; c++) p[c] *= scale;
    let c = 0;
    for (; c + 3 < classes; c += 4) {
      const [p0, p1, p2, p3] = [p[c], p[c + 1], p[c + 2], p[c + 3]];
      for (let j = 0, k = c; j < features; j++, k += classes) {
        const x = inputs[row + j];
        gradient[k] += x * p0;
        gradient[k + 1] += x * p1;
        gradient[k + 2] += x * p2;
        gradient[k + 3] += x * p3;
      }
    }
    for (; c < classes; c++) {
      const own = p[c];
      for (let j = 0, k = c; j < features; j++, k += classes) gradient[k] += inputs[row + j] * own;
    }
  }

  private lossOf(weights: Float64Array, sample: number): number {
    const { top, own, sum } = this.forward(weights, sample);
    return top + Math.log(sum) - own;
  }

  /** Mean loss over all samples, writing its gradient. */
  full(weights: Float64Array, gradient: Float64Array): number {
    gradient.fill(0);
    for (let i = 0; i < this.samples; i++) this.accumulate(weights, i, gradient, 1 / this.samples);
    return this.loss(weights);
  }

  /** Mean loss over all samples. */
  loss(weights: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < this.samples; i++) sum += this.lossOf(weights, i);
    return sum / this.samples;
  }

  /** The least mean loss. */
  optimum(): number {
    const start = new Float64Array(this.features * this.classes);
    // The value is then right to the square of this.
    const limits = { gradientTolerance: 1e-5, maxIterations: 2000 };
    return minimizeLbfgsSync((w, g) => this.full(w, g), start, limits).objective;
  }

  /**
   * SGD from zero: the weights at the end.
   *
   * @param order - samples in the order of their use, `[T * batch]`
   * @param onGradient - gets every step's gradient, which is overwritten
   */
  descend(
    multipliers: Float64Array,
    rate: number,
    order: Int32Array,
    onGradient?: (gradient: Float64Array, t: number) => void,
  ): Float64Array {
    const batch = order.length / multipliers.length;
    const weights = new Float64Array(this.features * this.classes);
    const gradient = new Float64Array(weights.length);
    for (let t = 0; t < multipliers.length; t++) {
      const step = rate * multipliers[t];
      if (batch === 1 && onGradient === undefined) {
        this.accumulate(weights, order[t], weights, -step);
        continue;
      }
      gradient.fill(0);
      for (let b = 0; b < batch; b++) this.accumulate(weights, order[t * batch + b], gradient, 1 / batch);
      onGradient?.(gradient, t);
      for (let i = 0; i < weights.length; i++) weights[i] -= step * gradient[i];
    }
    return weights;
  }

  /** Both norms of every step's gradient of such a run. */
  norms(multipliers: Float64Array, rate: number, order: Int32Array): { l1: Float64Array; l2: Float64Array } {
    const l1 = new Float64Array(multipliers.length);
    const l2 = new Float64Array(multipliers.length);
    this.descend(multipliers, rate, order, (gradient, t) => {
      let [magnitudes, squares] = [0, 0];
      for (const g of gradient) {
        magnitudes += Math.abs(g);
        squares += g * g;
      }
      l1[t] = magnitudes;
      l2[t] = Math.sqrt(squares);
    });
    return { l1, l2 };
  }
}

/** A data set of float64 inputs as a regression: features of mean 0 and deviation 1, and a constant. */
export function standardised({ inputs, targets }: Dataset, classes: number): SoftmaxRegression {
  const [samples, width] = inputs.shape;
  const raw = inputs.data();
  const scaled = new Float64Array(samples * (width + 1)).fill(1);
  for (let j = 0; j < width; j++) {
    const column = Float64Array.from({ length: samples }, (_, i) => raw[i * width + j]);
    const mean = meanOf(column);
    // A pixel that never changes stays at 0.
    const deviation = Math.sqrt(meanOf(column.map((v) => (v - mean) ** 2))) || 1;
    for (let i = 0; i < samples; i++) scaled[i * (width + 1) + j] = (column[i] - mean) / deviation;
  }
  return new SoftmaxRegression(scaled, targets.data() as Int32Array, width + 1, classes);
}

/** Samples drawn with replacement, `[T * batch]`. */
export function drawnOrder(rng: Rng, samples: number, length: number): Int32Array {
  return rng.randint([length], { high: samples }).data() as Int32Array;
}

/** `2^(k/2)` for k from `low` to `high`. */
export function halfOctaves(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => 2 ** ((low + i) / 2));
}

/**
 * The rate of the least value, its place and that value: from a first place on either side, until two rates in a row are
 * worse. Rates at which everything diverges are passed over.
 */
export function bestRate(
  rates: readonly number[],
  value: (rate: number) => number,
  from = rates.length >> 1,
): { rate: number; place: number; value: number } {
  let best = { rate: rates[from], place: from, value: value(rates[from]) };
  for (const direction of [1, -1]) {
    let worse = 0;
    for (let place = from + direction; place >= 0 && place < rates.length && worse < 2; place += direction) {
      const next = { rate: rates[place], place, value: value(rates[place]) };
      if (next.value < best.value) best = next;
      if (next.value < Infinity) worse = next === best ? 0 : worse + 1;
    }
  }
  return best;
}
