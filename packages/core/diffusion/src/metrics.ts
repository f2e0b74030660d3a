import {
  add,
  averagePool,
  checkOptions,
  div,
  expandDims,
  linalg,
  matmul,
  mean,
  mul,
  random,
  requireInteger,
  requirePositive,
  ShapeError,
  slice,
  sort,
  sqrt,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";

function pair(owner: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const [x, y] = [tensor(a, { dtype: "float64" }), tensor(b, { dtype: "float64" })];
  if (x.shape.join() !== y.shape.join()) {
    throw new ShapeError(`${owner}: shapes [${x.shape}] and [${y.shape}] differ; give two of one shape`);
  }
  return [x, y];
}

/** Root of the mean squared difference of all entries. */
export function rootMeanSquareError(a: TensorLike, b: TensorLike): number {
  const [x, y] = pair("rootMeanSquareError", a, b);
  return Math.sqrt(mean(square(sub(x, y))).item());
}

/** The same for each sample, `[batch]`. */
export function sampleErrors(a: TensorLike, b: TensorLike): Float64Array {
  const [x, y] = pair("sampleErrors", a, b);
  const each = mean(square(sub(x, y)).reshape([x.shape[0], x.size / x.shape[0]]), 1);
  return Float64Array.from(sqrt(each).data());
}

/** Peak signal-to-noise ratio in decibels. @param range what black and white differ by; default 1 */
export function peakSignalToNoise(a: TensorLike, b: TensorLike, range = 1): number {
  requirePositive("peakSignalToNoise", "range", range);
  return 20 * Math.log10(range / rootMeanSquareError(a, b));
}

/**
 * Structural similarity (Wang et al. 2004) of images `[batch, channels, height, width]`, averaged, with windows of 7 x 7 (or as large as
 * the image is) and unbiased variances.
 * @param range what black and white differ by; default 1
 */
export function structuralSimilarity(a: TensorLike, b: TensorLike, range = 1): number {
  const [x, y] = pair("structuralSimilarity", a, b);
  requirePositive("structuralSimilarity", "range", range);
  if (x.rank !== 4)
    throw new ShapeError(`structuralSimilarity: shape [${x.shape}] must be [batch, channels, height, width]`);
  const window = Math.min(7, x.shape[2], x.shape[3]);
  const local = (z: Tensor) => averagePool(z, window, { strides: 1 });
  const unbiased = window === 1 ? 1 : window ** 2 / (window ** 2 - 1);
  const [mx, my] = [local(x), local(y)];
  const covariance = (p: Tensor, q: Tensor, mp: Tensor, mq: Tensor) =>
    mul(sub(local(mul(p, q)), mul(mp, mq)), unbiased);
  const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2];
  const luminance = div(add(mul(mul(mx, my), 2), c1), add(add(square(mx), square(my)), c1));
  const structure = div(
    add(mul(covariance(x, y, mx, my), 2), c2),
    add(add(covariance(x, x, mx, mx), covariance(y, y, my, my)), c2),
  );
  return mean(mul(luminance, structure)).item();
}

/** Options of {@link slicedWasserstein}. */
export interface SlicedWassersteinOptions {
  /** Number of directions. Default 64. */
  readonly directions?: number;
  /** What directions follow from. Default 0. */
  readonly seed?: number | string;
}

/** Sliced Wasserstein-2 distance of two sets of samples `[count, ...]`, as large as each other. */
export function slicedWasserstein(a: TensorLike, b: TensorLike, options: SlicedWassersteinOptions = {}): number {
  const [x, y] = pair("slicedWasserstein", a, b);
  checkOptions("slicedWasserstein", options, ["directions", "seed"]);
  const { directions = 64, seed = 0 } = options;
  requireInteger("slicedWasserstein", "directions", directions, 1);
  const n = x.shape[0];
  const raw = random.rng(seed).normal([x.size / n, directions], { dtype: "float64" });
  const unit = div(raw, sqrt(sum(square(raw), { axis: 0, keepDims: true })));
  const projected = (z: Tensor) => sort(matmul(z.reshape([n, x.size / n]), unit), 0);
  return Math.sqrt(mean(square(sub(projected(x), projected(y)))).item());
}

/** Frechet distance of the normal distributions that fit two sets of samples `[count, features]`, squared, as FID is. */
export function frechetDistance(a: TensorLike, b: TensorLike): number {
  const moments = (values: TensorLike) => {
    const x = tensor(values, { dtype: "float64" });
    if (x.rank !== 2 || x.shape[0] < 2) {
      throw new ShapeError(
        `frechetDistance: samples have shape [${x.shape}]; they must be [count, features] with 2 or more`,
      );
    }
    const centre = mean(x, 0);
    const offset = sub(x, centre);
    return { centre, covariance: div(matmul(swapAxes(offset, 0, 1), offset), x.shape[0] - 1) };
  };
  const [p, q] = [moments(a), moments(b)];
  pair("frechetDistance", p.centre, q.centre);
  const root = (matrix: Tensor) => {
    const { values, vectors } = linalg.eigh(matrix);
    return matmul(mul(vectors, expandDims(sqrt(values.maximum(0)), 0)), swapAxes(vectors, 0, 1));
  };
  const half = root(p.covariance);
  const { values } = linalg.eigh(matmul(matmul(half, q.covariance), half));
  const trace = (matrix: Tensor) =>
    Array.from({ length: matrix.shape[0] }, (_, i) => slice(matrix, [i, i]).item()).reduce((s, v) => s + v, 0);
  const across = sum(sqrt(values.maximum(0))).item();
  const between = sum(square(sub(p.centre, q.centre))).item();
  // Of equal sets rounding may leave a little less than nothing.
  return Math.max(0, between + trace(p.covariance) + trace(q.covariance) - 2 * across);
}
