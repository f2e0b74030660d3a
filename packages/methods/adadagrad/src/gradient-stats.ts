import {
  asTensor,
  checkOptions,
  isTensor,
  ShapeError,
  type Tensor,
  type TensorLike,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** What the per-sample gradients g_i of a batch say; all variances have the divisor b - 1. */
export interface GradientStats {
  /** b. */
  readonly batchSize: number;
  /** n^2 = |mean gradient|^2. */
  readonly gradNormSquared: number;
  /** V: the sum of the coordinates' variances. */
  readonly variance1Norm: number;
  /** V_ip: the variance of <g_i, mean>. */
  readonly varInnerProduct: number;
  /** V_orth = V - V_ip / n^2: the variance of what is orthogonal to the mean. */
  readonly varOrthogonal: number;
  /** The mean gradient, a tree like the parameters. */
  readonly mean: tree.Tree;
  /** Variance of each coordinate, a tree like the parameters. */
  readonly coordinateVariance: tree.Tree;
}

/** Options of `gradientStats` and `pooledStats`. */
export interface StatsOptions {
  /**
   * Takes inner products within each tensor of the tree and adds their variances up, as the authors' code does, instead
   * of those of the concatenated vector. Default false.
   */
  blockwise?: boolean;
}

/**
 * Statistics of per-sample gradients.
 *
 * @param perSample a tree whose leaves are `[b, ...shape]`, b >= 2.
 * @throws ShapeError for different numbers of samples; ValueError for fewer than two, or values that are not finite.
 */
export function gradientStats(perSample: tree.Tree, options: StatsOptions = {}): GradientStats {
  checkOptions("gradientStats", options, ["blockwise"]);
  const samples = new PerSampleGradients("gradientStats", perSample);
  if (samples.count < 2) {
    throw new ValueError(`gradientStats: ${samples.count} samples have no variance; give at least 2`);
  }
  const pool = new MomentPool(samples.widths);
  pool.add(samples.count, samples.means(), samples.squares());
  const inner = new InnerProductPool(pool, options.blockwise ?? false);
  inner.add(samples.innerProducts(pool.mean));
  return statsOf(pool, inner, (values) => samples.unflatten(values));
}

/** Per-sample gradients as float64 matrices, one `[b, width]` per leaf. */
export class PerSampleGradients {
  /** b. */
  readonly count: number;
  /** Coordinates of each leaf. */
  readonly widths: readonly number[];
  private readonly leaves: readonly Tensor[];
  private readonly data: readonly ArrayLike<number>[];
  private readonly structure: tree.TreeStructure;

  constructor(caller: string, perSample: tree.Tree) {
    const flat = tree.flatten(perSample);
    this.structure = flat.structure;
    this.leaves = flat.leaves.map((leaf) => (isTensor(leaf) ? leaf : asTensor(leaf as TensorLike)));
    const paths = tree.paths(perSample);
    this.count = this.leaves[0]?.shape[0] ?? 0;
    for (const [i, leaf] of this.leaves.entries()) {
      if (leaf.rank === 0 || leaf.shape[0] !== this.count) {
        throw new ShapeError(
          `${caller}: ${paths[i] || "the leaf"} has shape [${leaf.shape}]; every leaf must be [${this.count}, ...], a gradient per sample`,
        );
      }
    }
    if (this.leaves.length === 0) throw new ValueError(`${caller}: there are no gradients; give a tree with tensors`);
    this.data = this.leaves.map((leaf) => leaf.data());
    this.widths = this.leaves.map((leaf) => leaf.size / Math.max(1, this.count));
    for (const [i, values] of this.data.entries()) {
      for (let j = 0; j < values.length; j++) {
        if (!Number.isFinite(values[j])) {
          const sample = Math.floor(j / this.widths[i]);
          throw new ValueError(
            `${caller}: the gradient of sample ${sample} is ${values[j]} in ${paths[i] || "the leaf"}`,
          );
        }
      }
    }
  }

  /** @throws ShapeError unless these are gradients of the same parameters as the others. */
  requireLike(caller: string, others: PerSampleGradients): void {
    const shapes = ({ leaves }: PerSampleGradients) => leaves.map(({ shape }) => `[${["b", ...shape.slice(1)]}]`);
    const [ours, theirs] = [this, others].map((each) => tree.unflatten(each.structure, shapes(each)));
    if (JSON.stringify(ours) === JSON.stringify(theirs)) return;
    throw new ShapeError(
      `${caller} has gradients ${JSON.stringify(ours)}, the first ${JSON.stringify(theirs)}; give trees of the same parameters`,
    );
  }

  /** Mean of each leaf over the samples. */
  means(): Float64Array[] {
    return this.data.map((values, l) => {
      const width = this.widths[l];
      const mean = new Float64Array(width);
      for (let at = 0; at < values.length; at += width) for (let j = 0; j < width; j++) mean[j] += values[at + j];
      for (let j = 0; j < width; j++) mean[j] /= this.count;
      return mean;
    });
  }

  /** Sums of squares about the mean, for each coordinate. */
  squares(): Float64Array[] {
    const means = this.means();
    return this.data.map((values, l) => {
      const width = this.widths[l];
      const mean = means[l];
      const sum = new Float64Array(width);
      for (let at = 0; at < values.length; at += width) {
        for (let j = 0; j < width; j++) sum[j] += (values[at + j] - mean[j]) ** 2;
      }
      return sum;
    });
  }

  /** <g_i, direction> within each leaf, row-major `[b, leaves]`. */
  innerProducts(direction: readonly Float64Array[]): Float64Array {
    const L = this.widths.length;
    const out = new Float64Array(this.count * L);
    this.data.forEach((values, l) => {
      const width = this.widths[l];
      const d = direction[l];
      for (let i = 0; i < this.count; i++) {
        let sum = 0;
        for (let j = 0, at = i * width; j < width; j++) sum += values[at + j] * d[j];
        out[i * L + l] = sum;
      }
    });
    return out;
  }

  /** Numbers by leaf as a tree like the parameters. */
  unflatten(values: readonly Float64Array[]): tree.Tree {
    const leaves = values.map((data, l) => asTensor(data).reshape(this.leaves[l].shape.slice(1)));
    return tree.unflatten(this.structure, leaves);
  }
}

/** Exact pooling of means and sums of squares over micro-batches. */
export class MomentPool {
  /** Samples so far. */
  count = 0;
  /** Mean of each leaf. */
  readonly mean: Float64Array[];
  /** Sums of squares about the mean. */
  readonly squares: Float64Array[];

  constructor(widths: readonly number[]) {
    this.mean = widths.map((width) => new Float64Array(width));
    this.squares = widths.map((width) => new Float64Array(width));
  }

  /** Adds a micro-batch, by the pairwise update of Chan, Golub and LeVeque. */
  add(count: number, mean: readonly ArrayLike<number>[], squares: readonly ArrayLike<number>[]): void {
    const all = this.count + count;
    const weight = (this.count * count) / all;
    this.mean.forEach((ours, l) => {
      for (let j = 0; j < ours.length; j++) {
        const shift = mean[l][j] - ours[j];
        this.squares[l][j] += squares[l][j] + weight * shift * shift;
        ours[j] += (shift * count) / all;
      }
    });
    this.count = all;
  }

  /** n^2 of each leaf. */
  normsSquared(): number[] {
    return this.mean.map((values) => values.reduce((sum, value) => sum + value * value, 0));
  }
}

/** Variances of inner products with the mean gradient, over micro-batches. */
export class InnerProductPool {
  private readonly norms: readonly number[];
  private readonly leaves: number;
  private readonly blockwise: boolean;
  private readonly sums: Float64Array;

  /** @param moments those of the whole batch. */
  constructor(moments: MomentPool, blockwise: boolean) {
    const norms = moments.normsSquared();
    this.leaves = norms.length;
    this.blockwise = blockwise;
    this.norms = blockwise ? norms : [norms.reduce((a, b) => a + b, 0)];
    this.sums = new Float64Array(this.norms.length);
  }

  /** Adds the samples of a micro-batch. @param inner <g_i, mean> within each leaf, `[b, leaves]`, row-major. */
  add(inner: ArrayLike<number>): void {
    for (let at = 0; at < inner.length; at += this.leaves) {
      let whole = 0;
      for (let l = 0; l < this.leaves; l++) {
        if (this.blockwise) this.sums[l] += (inner[at + l] - this.norms[l]) ** 2;
        else whole += inner[at + l];
      }
      if (!this.blockwise) this.sums[0] += (whole - this.norms[0]) ** 2;
    }
  }

  /** V_ip and V_orth, given V of each leaf. Where the mean vanishes, all of V is orthogonal to it. */
  variances(count: number, leafVariances: readonly number[]): { readonly inner: number; readonly orthogonal: number } {
    const blocks = this.blockwise ? leafVariances : [leafVariances.reduce((a, b) => a + b, 0)];
    let inner = 0;
    let orthogonal = 0;
    blocks.forEach((V, l) => {
      const Vip = this.sums[l] / (count - 1);
      inner += Vip;
      orthogonal += this.norms[l] > 0 ? Math.max(0, V - Vip / this.norms[l]) : V;
    });
    return { inner, orthogonal };
  }
}

/** The statistics of a pooled batch; without inner products their variances are NaN. */
export function statsOf(
  moments: MomentPool,
  inner: InnerProductPool | undefined,
  unflatten: (values: readonly Float64Array[]) => unknown,
): GradientStats {
  const { count } = moments;
  const coordinateVariance = moments.squares.map((values) => values.map((value) => value / (count - 1)));
  const leafVariances = coordinateVariance.map((values) => values.reduce((a, b) => a + b, 0));
  const along = inner?.variances(count, leafVariances);
  return {
    batchSize: count,
    gradNormSquared: moments.normsSquared().reduce((a, b) => a + b, 0),
    variance1Norm: leafVariances.reduce((a, b) => a + b, 0),
    varInnerProduct: along?.inner ?? Number.NaN,
    varOrthogonal: along?.orthogonal ?? Number.NaN,
    mean: unflatten(moments.mean) as tree.Tree,
    coordinateVariance: unflatten(coordinateVariance) as tree.Tree,
  };
}
