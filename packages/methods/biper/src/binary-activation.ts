import {
  abs,
  add,
  asTensor,
  customVjp,
  div,
  maximum,
  mean,
  mul,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { signOf } from "./square-wave.js";

const EPSILON = 1e-5;

/** Half the gradient of the polynomial that stands for the sign: `g max(0, 1 - |x|)`. */
function halfGradient(magnitude: Tensor, g: Tensor): Tensor {
  return mul(g, maximum(sub(1, magnitude), 0));
}

const activationSign = customVjp(
  signOf,
  (x: Tensor) => [signOf(x), x],
  (x: Tensor, g: Tensor) => [mul(halfGradient(abs(x), g), 2)],
);

/**
 * `sgn(a)`, binary activations. The gradient is that of a piecewise polynomial close to the sign: `max(0, 2 - 2 |a|)`.
 * @see Vargas et al., CVPR 2024, section 3; the surrogate is that of Bi-Real Net (Liu et al., ECCV 2018)
 */
export function binarizeActivation(a: TensorLike): Tensor {
  return activationSign(asTensor(a));
}

/**
 * With s the sample's standard deviation (unbiased) and h the gradient at x / s, the chain rule gives
 * `h / s - (x - mean) sum(h x) / ((n - 1) s^3)`.
 */
function throughScaling(x: Tensor, g: Tensor): Tensor {
  const axis = x.shape.map((_, i) => i).slice(1);
  const within = { axis, keepDims: true };
  const rest = Math.max(1, x.size / x.shape[0] - 1);
  const centred = sub(x, mean(x, within));
  const inverse = div(1, sqrt(add(mul(sum(square(centred), within), 1 / rest), EPSILON)));
  const half = halfGradient(mul(abs(x), inverse), g);
  const back = mul(mul(sum(mul(half, x), within), mul(inverse, square(inverse))), 2 / rest);
  return sub(mul(half, mul(inverse, 2)), mul(centred, back));
}

/**
 * `binarizeActivation` of every sample `[batch, ...]` divided by its standard deviation over all other axes (nothing is
 * subtracted). The sign does not change by that, but its gradient, which sees magnitudes, then means the same in every layer.
 */
export const binarizeScaled: (a: Tensor) => Tensor = customVjp(
  signOf,
  (x: Tensor) => [signOf(x), x],
  (x: Tensor, g: Tensor) => [throughScaling(x, g)],
);
