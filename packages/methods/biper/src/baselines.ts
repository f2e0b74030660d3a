import {
  abs,
  add,
  cast,
  customVjp,
  div,
  lessEqual,
  mean,
  mul,
  sqrt,
  square,
  sub,
  type Tensor,
} from "@offprint/tensor-core";
import { signOf } from "./square-wave.js";
import type { WeightRule } from "./weight-rules.js";

/** sgn(w) whose gradient passes where |w| <= 1 (Hubara et al., 2016). */
const clippedSign = customVjp(
  signOf,
  (w: Tensor) => [signOf(w), w],
  (w: Tensor, g: Tensor) => [mul(g, cast(lessEqual(abs(w), 1), g.dtype))],
);

/** All axes but the first: those of one output channel. */
function perChannel(w: Tensor): { axis: number[]; keepDims: true } {
  return { axis: w.shape.map((_, i) => i).slice(1), keepDims: true };
}

/** `sgn(w)` with the straight-through gradient 1 where |w| <= 1, and a learned scale. */
export function straightThrough(): WeightRule {
  return { name: "straight-through", binary: true, weights: (w) => clippedSign(w) };
}

/**
 * `straightThrough` with XNOR-Net's scale, the mean of |w| over each output channel, in place of a learned one.
 * @see Rastegari et al., ECCV 2016
 */
export function xnorScale(): WeightRule {
  return {
    name: "xnor-scale",
    binary: true,
    weights: (w) => clippedSign(w),
    scale: (w) => mean(abs(w), { axis: perChannel(w).axis }),
  };
}

/**
 * IR-Net's rule: weights standardised over each output channel before the sign, so that half of the bits are set.
 * @see Qin et al., CVPR 2020
 */
export function standardizedSign(): WeightRule {
  return {
    name: "standardized-sign",
    binary: true,
    weights(w) {
      const centred = sub(w, mean(w, perChannel(w)));
      return clippedSign(div(centred, sqrt(add(mean(square(centred), perChannel(w)), 1e-12))));
    },
  };
}

/** Real weights: with binary activations what binary weights cost, without them a full-precision network. */
export function realWeights(): WeightRule {
  return { name: "real", binary: false, weights: (w) => w };
}
