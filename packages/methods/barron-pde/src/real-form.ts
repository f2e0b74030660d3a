import {
  add,
  cos,
  hostTensor,
  jitSync,
  matmul,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";

/** `a cos(2 pi k.x / P + theta)`. */
export interface Cosine {
  /** Frequency, d integers. */
  readonly k: readonly number[];
  /** Amplitude. */
  readonly a: number;
  /** Phase in radians. Default 0. */
  readonly theta?: number;
}

/** A function as a sum of cosines. */
export interface RealForm {
  /** The mean. */
  readonly constant: number;
  /** `[m]` amplitudes, > 0. */
  readonly a: Float64Array;
  /** `[m]` phases in radians. */
  readonly theta: Float64Array;
  /** `[m, d]` frequencies. */
  readonly k: Int32Array;
}

const cosineSum = jitSync((x: Tensor, weights: Tensor, theta: Tensor, a: Tensor, constant: number) =>
  add(matmul(cos(add(matmul(x, weights.transpose()), theta)), a), constant),
);

/**
 * Values of a sum of cosines at points.
 *
 * @param x `[m, d]`, or `[d]` for one point
 * @returns `[m]`, or a number as a tensor
 */
export function cosinesAt(owner: string, form: RealForm, dimension: number, period: number, x: TensorLike): Tensor {
  const points = tensor(x, { dtype: "float64" });
  const { shape } = points;
  const one = shape.length === 1;
  if (shape.length < 1 || shape.length > 2 || shape.at(-1) !== dimension) {
    throw new ShapeError(`${owner}: x is [${shape}]; give points [m, ${dimension}]`);
  }
  const { constant, a, theta, k } = form;
  if (a.length === 0) {
    return tensor(new Float64Array(one ? 1 : shape[0]).fill(constant), { shape: one ? [] : [shape[0]] });
  }
  const weights = Float64Array.from(k, (entry) => (2 * Math.PI * entry) / period);
  const values = cosineSum(
    one ? points.reshape([1, dimension]) : points,
    hostTensor(weights, [a.length, dimension], "float64"),
    hostTensor(theta, [a.length], "float64"),
    hostTensor(a, [a.length], "float64"),
    constant,
  );
  return one ? values.reshape([]) : values;
}
