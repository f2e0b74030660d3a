import { type FeatureMap, randomFeatures, squaredExponential } from "@offprint/gaussian-process";
import {
  add,
  checkOptions,
  concatenate,
  diag,
  dot,
  expandDims,
  full,
  grad,
  hostTensor,
  jitSync,
  linalg,
  matmul,
  mul,
  random,
  requireFinite,
  requireInteger,
  requireNonNegative,
  requirePositive,
  reshape,
  ShapeError,
  slice,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import { scaledValues } from "./scaled-values.js";

/** Options of {@link fourierSurrogate}. */
export interface FourierOptions {
  /** M, the number of features, an integer >= 1 (default 1000; the authors take 10,000). */
  readonly features?: number;
  /** Length scale of the features, > 0 (default 1): it must cover the region that is travelled. */
  readonly length?: number;
  /** Clients with the same seed have the same features. Default 0. */
  readonly seed?: number | string;
}

/** A function as M weights of cosines: what clients send, and what the server averages. */
export interface FourierSurrogate {
  /** `[n, M]` features of points `[n, d]`. */
  features(x: TensorLike): Tensor;
  /**
   * `[M]` weights of the function that passes near the values: ridge regression on values scaled to [0, 1], solved among the
   * queries. The least value is left out: gradients do not see it.
   * @param ridge - lambda, >= 0 (default 1e-6).
   * @param capacity - rows that the compiled program has room for (default the number of queries).
   */
  fit(x: TensorLike, y: TensorLike, options?: { readonly ridge?: number; readonly capacity?: number }): Tensor;
  /** `[d]` gradient at x `[d]` of the function with weights `[M]`; linear in the weights. */
  gradient(weights: TensorLike, x: TensorLike): Tensor;
}

const made = new Map<string, FourierSurrogate>();
/** Sets of features that are kept, with the programs compiled for them: runs of one setting share them. */
const KEPT = 4;

/**
 * The global surrogate: random Fourier features of the squared exponential kernel.
 *
 * @param inputs - d.
 * @throws ValueError for options out of range.
 */
export function fourierSurrogate(inputs: number, options: FourierOptions = {}): FourierSurrogate {
  const owner = "fourierSurrogate";
  checkOptions(owner, options, ["features", "length", "seed"]);
  const { features: count = 1000, length = 1, seed = 0 } = options;
  requireInteger(owner, "inputs", inputs, 1);
  requireInteger(owner, "features", count, 1);
  requirePositive(owner, "length", length);
  const key = JSON.stringify([inputs, count, length, seed]);
  const known = made.get(key) ?? build(inputs, count, length, seed);
  made.delete(key);
  made.set(key, known);
  for (const oldest of made.keys()) {
    if (made.size <= KEPT) break;
    made.delete(oldest);
  }
  return known;
}

function build(inputs: number, count: number, length: number, seed: number | string): FourierSurrogate {
  const owner = "fourierSurrogate";
  const map: FeatureMap = randomFeatures(squaredExponential({ length }), count, inputs, random.rng(seed));
  const solve = jitSync((x: Tensor, targets: Tensor, mask: Tensor, ridge: Tensor) => {
    const phi = mul(expandDims(mask, 1), map(x));
    const K = add(rowProducts(phi), diag(add(mul(mask, ridge), sub(1, mask))));
    return matmul(linalg.choleskySolve(linalg.cholesky(K), targets), phi);
  });
  const slope = jitSync(
    grad((x: Tensor, weights: Tensor) => dot(reshape(map(expandDims(x, 0)), [count]), weights)) as (
      x: Tensor,
      weights: Tensor,
    ) => Tensor,
  );
  const rows = (x: TensorLike): Tensor => {
    const points = tensor(x, { dtype: "float64" });
    if (points.rank === 2 && points.shape[1] === inputs) return points;
    throw new ShapeError(`${owner}: points have shape [${points.shape}]; they must be [n, ${inputs}]`);
  };
  const vector = (name: string, v: TensorLike, size: number): Tensor => {
    const t = tensor(v, { dtype: "float64" });
    if (t.rank === 1 && t.size === size) return t;
    throw new ShapeError(`${owner}: ${name} has shape [${t.shape}]; it must be [${size}]`);
  };
  return {
    features: (x) => map(rows(x)),
    fit(x, y, settings = {}) {
      checkOptions(`${owner}: fit`, settings, ["ridge", "capacity"]);
      const points = rows(x);
      const n = points.shape[0];
      const { ridge = 1e-6, capacity = n } = settings;
      requireNonNegative(owner, "ridge", ridge);
      requireInteger(owner, "capacity", capacity, Math.max(1, n));
      const values = vector("y", y, n);
      requireFinite(owner, "x", points);
      requireFinite(owner, "y", values);
      const { scaled, range } = scaledValues(values.data());
      if (range === 0) return full([count], 0, "float64");
      const X = new Float64Array(capacity * inputs);
      X.set(points.data());
      const [targets, mask] = [new Float64Array(capacity), new Float64Array(capacity).fill(1, 0, n)];
      targets.set(scaled);
      const weights = solve(
        hostTensor(X, [capacity, inputs], "float64"),
        hostTensor(targets, [capacity], "float64"),
        hostTensor(mask, [capacity], "float64"),
        hostTensor(Float64Array.of(ridge), [], "float64"),
      );
      return mul(range, weights);
    },
    gradient: (weights, x) => slope(vector("x", x, inputs), vector("weights", weights, count)),
  };
}

/** Strips into which rows are cut. */
const STRIPS = 4;

/** phi phi^T by strips of rows, each with itself and those above it: five eighths of the work, as it is symmetric. */
function rowProducts(phi: Tensor): Tensor {
  const n = phi.shape[0];
  const size = Math.ceil(n / STRIPS);
  const rows = (from: number, to: number) => slice(phi, [{ start: from, stop: to }]);
  const strips: { own: Tensor; above: Tensor }[] = [];
  for (let from = 0; from < n; from += size) {
    const to = Math.min(n, from + size);
    const strip = rows(from, to);
    const room = (columns: number) => zeros([to - from, columns], "float64");
    const above = from === 0 ? room(0) : matmul(strip, transpose(rows(0, from)));
    const own = matmul(strip, transpose(strip));
    strips.push({
      above: concatenate([above, room(n - from)], 1),
      own: concatenate([room(from), own, room(n - to)], 1),
    });
  }
  const below = concatenate(
    strips.map(({ above }) => above),
    0,
  );
  const blocks = concatenate(
    strips.map(({ own }) => own),
    0,
  );
  return add(blocks, add(below, transpose(below)));
}
