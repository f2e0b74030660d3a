import {
  add,
  clip,
  exp,
  maximum,
  mul,
  requireChoice,
  square,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";

/** The divergence between the distributions of states and actions: `f(w) = (w - 1)^2`, or reverse Kullback-Leibler. */
export type Divergence = "pearson" | "reverseKl";

/** The largest weight of a transition. */
const largestWeight = 100;

function checked(owner: string, y: TensorLike, divergence: Divergence): Tensor {
  requireChoice(owner, "divergence", divergence, ["pearson", "reverseKl"]);
  return tensor(y);
}

/** `f*(y) = max over w >= 0 of w y - f(w)`, the conjugate. */
export function conjugate(y: TensorLike, divergence: Divergence = "pearson"): Tensor {
  const residual = checked("conjugate", y, divergence);
  if (divergence === "reverseKl") return exp(sub(residual, 1));
  const w = conjugateSlope(residual, divergence);
  return sub(mul(residual, w), square(sub(w, 1)));
}

/** The derivative of {@link conjugate}, the optimal ratio `w*(y)` of the distributions. */
export function conjugateSlope(y: TensorLike, divergence: Divergence = "pearson"): Tensor {
  const residual = checked("conjugateSlope", y, divergence);
  if (divergence === "reverseKl") return exp(sub(residual, 1));
  return maximum(add(mul(residual, 0.5), 1), 0);
}

/**
 * What a transition counts in the policy's loss, at most 100: for Pearson's divergence `max(y, 0)`, so that those of positive residuals count
 * alone, as in the authors' code; else `w*(y)`.
 */
export function policyWeight(y: TensorLike, divergence: Divergence = "pearson"): Tensor {
  const residual = checked("policyWeight", y, divergence);
  const weight = divergence === "reverseKl" ? conjugateSlope(residual, divergence) : maximum(residual, 0);
  return clip(weight, 0, largestWeight);
}

/** The ratio `w*(y)` as a weight, at most 100: what OptiDICE takes. */
export function ratioWeight(y: TensorLike, divergence: Divergence = "pearson"): Tensor {
  return clip(conjugateSlope(y, divergence), 0, largestWeight);
}
