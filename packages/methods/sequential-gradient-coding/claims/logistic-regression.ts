import { add, jit, matmul, mul, special, sub, sum, type Tensor, tensor, valueAndGrad } from "@offprint/tensor-core";

/** Weights of a logistic regression. */
export interface LogisticParams {
  /** `[features]` */
  readonly w: Tensor;
  /** A scalar. */
  readonly b: Tensor;
}

/** Samples with targets 0 and 1. */
export interface LogisticData {
  /** `[samples, features]` */
  readonly x: Tensor;
  /** `[samples]` */
  readonly y: Tensor;
}

/** Minus the log-likelihood of all samples together. */
export const loss = ({ w, b }: LogisticParams, { x, y }: LogisticData): Tensor => {
  const z = add(matmul(x, w), b);
  return sum(sub(special.softplus(z), mul(y, z)));
};

/** The loss and its gradient, compiled. */
export const lossAndGradient = jit(valueAndGrad(loss));

/** Models that begin at different places, so that a mistaken one shows. */
export function firstModels(count: number, features = 64): LogisticParams[] {
  return Array.from({ length: count }, (_, m) => ({
    w: tensor(Float64Array.from({ length: features }, (_, j) => 0.1 * Math.sin(1 + m + 3 * j))),
    b: tensor(0.1 * m, { dtype: "float64" }),
  }));
}
