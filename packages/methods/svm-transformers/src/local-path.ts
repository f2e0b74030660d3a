import {
  add,
  cos,
  div,
  expandDims,
  expm1,
  log1p,
  mul,
  neg,
  sigmoid,
  sin,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
} from "@offprint/tensor-core";
import { maskedScores } from "./attention.js";
import type { ReadExamples } from "./examples.js";

/**
 * @internal `n (L(W) - L_alpha)` for the logistic loss and a linear head, L_alpha being what is reached where every example gives all its
 * attention to its chosen token: negative where a token of a higher score has enough. Every term is small as it is computed,
 * so that it is accurate at norms at which the difference of the losses has no digit left.
 * @param scores gamma, `[n, T]`
 */
export function localExcess(w: Tensor, read: ReadExamples, scores: Tensor, tokens: readonly number[]): Tensor {
  const [, length] = scores.shape;
  const chosen = tensor(Float64Array.from(tokens, (t, i) => scores.data()[i * length + t]));
  const attention = softmax(maskedScores(w, read), 1);
  const gap = where(read.mask, sub(expandDims(chosen, 1), where(read.mask, scores, 0)), 0);
  const delta = sum(mul(attention, gap), 1);
  return sum(log1p(mul(expm1(delta), sigmoid(neg(chosen)))));
}

/**
 * @internal Any `[d, d]` matrix as one of norm `radius` in the cone around a direction of norm 1: at an angle below the widest
 * one, which grows with what the matrix has across the direction.
 */
export function inCone(u: Tensor, direction: Tensor, widest: number, radius: Tensor): Tensor {
  const across = sub(u, mul(direction, sum(mul(u, direction))));
  const squared = add(sum(square(across)), 1e-30);
  const size = sqrt(squared);
  const angle = mul(div(size, sqrt(add(squared, 1))), widest);
  return mul(add(mul(direction, cos(angle)), mul(across, div(sin(angle), size))), radius);
}
