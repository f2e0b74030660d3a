import {
  add,
  asTensor,
  clip,
  div,
  log,
  mul,
  requireChoice,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";

/** Which distance keeps the outputs near z_t: a quadratic one, or Kullback-Leibler's for probabilities. */
export type Proximity = "kl" | "quadratic";

/** P is kept in [1e-12, 1]. */
const LEAST_PROBABILITY = 1e-12;

/**
 * The surrogate in target space, a function of outputs `[b, C]`:
 * `mean over rows of loss_i + <g_i, z_i - z_i^t> + (z_i - z_i^t)^T D_i (z_i - z_i^t) / 2`, with D = 1/eta or a diagonal. For
 * probabilities with `kl`, the last term is `D sum P (log P - log P_t)`.
 */
export class TargetSurrogate {
  /** z_t, `[b, C]`. */
  readonly z0: Tensor;
  /** g, `[b, C]`. */
  readonly grad: Tensor;
  /** D: a scalar, or `[b, C]`. */
  readonly D: Tensor;
  /** Mean of the losses at z_t. */
  readonly value0: Tensor;
  /** Kind of distance. */
  readonly proximity: Proximity;

  /**
   * @param D a number > 0 (1/eta), or a diagonal `[b, C]`.
   * @throws ShapeError for parts that do not fit; ValueError for a D that is a number <= 0.
   */
  constructor(
    z0: TensorLike,
    grad: TensorLike,
    D: TensorLike,
    value0: TensorLike = 0,
    proximity: Proximity = "quadratic",
  ) {
    this.z0 = precise(z0);
    this.grad = precise(grad);
    this.D = precise(D);
    this.value0 = precise(value0);
    this.proximity = proximity;
    if (this.z0.rank !== 2 || this.grad.shape.join() !== this.z0.shape.join()) {
      throw new ShapeError(
        `TargetSurrogate: z0 has shape [${this.z0.shape}] and grad [${this.grad.shape}]; both must be [b, C]`,
      );
    }
    if (this.D.rank !== 0 && this.D.shape.join() !== this.z0.shape.join()) {
      throw new ShapeError(`TargetSurrogate: D has shape [${this.D.shape}]; it must be a number or [${this.z0.shape}]`);
    }
    requireChoice("TargetSurrogate", "proximity", proximity, ["kl", "quadratic"]);
    if (typeof D === "number" && !(D > 0)) throw new ValueError(`TargetSurrogate: D is ${D}; it must be > 0`);
  }

  /** q(z), a scalar. Traceable. */
  value(z: TensorLike): Tensor {
    const outputs = precise(z);
    const rows = this.z0.shape[0];
    const change = sub(outputs, this.z0);
    const linear = sum(mul(this.grad, change));
    if (this.proximity === "kl") {
      const [p, before] = [outputs, this.z0].map((each) => clip(each, LEAST_PROBABILITY, 1));
      const divergence = sum(mul(this.D, mul(outputs, sub(log(p), log(before)))));
      return add(this.value0, div(add(linear, divergence), rows));
    }
    return add(this.value0, div(add(linear, mul(0.5, sum(mul(this.D, square(change))))), rows));
  }

  /** The least value of q over all outputs, which no model can go below; minus infinity where none is known. */
  lowest(): number {
    const D = this.D.data();
    const grad = this.grad.data();
    if (this.proximity === "kl" || !Array.from(D).every((d) => d > 0)) return Number.NEGATIVE_INFINITY;
    let fall = 0;
    for (let k = 0; k < grad.length; k++) fall += grad[k] ** 2 / D[D.length === 1 ? 0 : k] / 2;
    return this.value0.item() - fall / this.z0.shape[0];
  }

  /** Derivative of q by the outputs, `[b, C]`; of the quadratic surrogate. */
  gradZ(z: TensorLike): Tensor {
    if (this.proximity === "kl")
      throw new ValueError("TargetSurrogate: gradZ is that of the quadratic surrogate; differentiate value for kl");
    return div(add(this.grad, mul(this.D, sub(precise(z), this.z0))), this.z0.shape[0]);
  }
}

/** Plain numbers in float64: as float32 they would lose what separates a bound from a violation. Tensors stay as they are. */
export function precise(value: TensorLike): Tensor {
  return typeof value === "number" || Array.isArray(value) ? asTensor(value, "float64") : asTensor(value);
}
