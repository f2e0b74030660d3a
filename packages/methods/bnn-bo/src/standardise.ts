import { hostTensor, ShapeError, type Tensor, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";

/** Observations as models see them. */
export interface Standardised {
  /** `[n, d]`. */
  readonly x: Tensor;
  /** `[n]` of mean 0 and deviation 1, with n - 1. */
  readonly y: Tensor;
  readonly offset: number;
  readonly deviation: number;
}

/** @internal Checks and scales observations. @throws ShapeError, ValueError */
export function standardised(owner: string, x: TensorLike, y: TensorLike): Standardised {
  const points = tensor(x, { dtype: "float64" });
  const values = tensor(y, { dtype: "float64" });
  const n = points.shape[0];
  if (points.rank !== 2 || values.rank !== 1 || values.size !== n || n === 0) {
    throw new ShapeError(`${owner}: x has shape [${points.shape}], y [${values.shape}]; they must be [n, d] and [n]`);
  }
  if (!points.data().every(Number.isFinite) || !values.data().every(Number.isFinite)) {
    throw new ValueError(`${owner}: an observation is not finite; leave it out, or give a bad finite value`);
  }
  // In a unit of their size, a power of two, so that no square overflows or vanishes; it changes no digit.
  const most = Array.from(values.data()).reduce((size, v) => Math.max(size, Math.abs(v)), 0);
  const unit = 2 ** Math.max(-1022, Math.floor(Math.log2(most || 1)));
  const numbers = Float64Array.from(values.data(), (v: number) => v / unit);
  const offset = numbers.reduce((sum, v) => sum + v, 0) / n;
  const squares = numbers.reduce((sum, v) => sum + (v - offset) ** 2, 0);
  const spread = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
  const deviation = spread > 1e-14 * Math.abs(offset) ? spread : 1 / unit;
  const scaled = Float64Array.from(numbers, (v) => (v - offset) / deviation);
  return { x: points, y: hostTensor(scaled, [n], "float64"), offset: offset * unit, deviation: deviation * unit };
}

/** Rows of room behind the observations, so that programs are compiled once for several sizes. */
export interface Padded {
  readonly x: Tensor;
  readonly y: Tensor;
  /** `[capacity]` 1 for an observation, 0 for room. */
  readonly mask: Tensor;
}

const ROOM = 32;

/** @internal With room up to the next multiple of 32. */
export function padded({ x, y }: Pick<Standardised, "x" | "y">): Padded {
  const [n, d] = x.shape;
  const capacity = ROOM * Math.ceil(n / ROOM);
  const [X, Y, mask] = [new Float64Array(capacity * d), new Float64Array(capacity), new Float64Array(capacity)];
  X.set(x.data());
  Y.set(y.data());
  mask.fill(1, 0, n);
  return {
    x: hostTensor(X, [capacity, d], "float64"),
    y: hostTensor(Y, [capacity], "float64"),
    mask: hostTensor(mask, [capacity], "float64"),
  };
}
