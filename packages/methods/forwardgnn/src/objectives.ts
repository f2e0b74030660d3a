import {
  abs,
  add,
  div,
  exp,
  log1p,
  logSoftmax,
  matmul,
  maximum,
  mul,
  neg,
  requireObject,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";

/** `sum_d h_id^2` for each row: what the forward-forward algorithm makes large for positive inputs. */
export function goodness(h: Tensor): Tensor {
  return sum(square(h), { axis: -1 });
}

/**
 * Binary cross-entropy of logits against targets that are all 1 or all 0, without overflow:
 * `max(z, 0) - z t + log(1 + exp(-|z|))`, for each entry.
 */
export function binaryLosses(logits: Tensor, target: 0 | 1): Tensor {
  const hinge = target === 1 ? sub(maximum(logits, 0), logits) : maximum(logits, 0);
  return add(hinge, log1p(exp(neg(abs(logits)))));
}

/**
 * The forward-forward loss of one input: cross-entropy of `goodness - theta`, averaged with the given weights.
 * @param h `[nodes, width]` outputs of the layer
 * @param weights `[nodes]`, 1 / |T| at training nodes and 0 elsewhere
 */
export function forwardForwardLoss(h: Tensor, weights: Tensor, target: 0 | 1, theta: number): Tensor {
  return sum(mul(binaryLosses(sub(goodness(h), theta), target), weights));
}

/**
 * Similarities of all rows to the representatives of the classes, which are the last `classes` rows: `h_i . c_k / tau`.
 * @param h `[nodes + classes, width]`
 * @returns `[nodes + classes, classes]`
 */
export function classLogits(h: Tensor, classes: number, tau: number): Tensor {
  requireObject("classLogits", "h", h, "a tensor");
  const similarities = matmul(h, transpose(slice(h, [{ start: h.shape[0] - classes }])));
  return tau === 1 ? similarities : div(similarities, tau);
}

/**
 * The single-forward loss of a layer: cross-entropy of the similarities, averaged over the training nodes.
 * @param h `[nodes + classes, width]`
 * @param targets `[nodes + classes, classes]`: 1 / |T| at the class of each training node, 0 elsewhere
 */
export function singleForwardLoss(h: Tensor, targets: Tensor, tau: number): Tensor {
  requireObject("singleForwardLoss", "h", h, "a tensor");
  requireObject("singleForwardLoss", "targets", targets, "a tensor");
  return neg(sum(mul(logSoftmax(classLogits(h, targets.shape[1], tau)), targets)));
}
