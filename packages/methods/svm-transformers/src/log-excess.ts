import {
  add,
  expandDims,
  expm1,
  log,
  log1p,
  logSoftmax,
  logSumExp,
  max,
  mul,
  neg,
  sigmoid,
  special,
  sub,
  type Tensor,
  where,
} from "@offprint/tensor-core";
import { maskedScores } from "./attention.js";
import type { ReadExamples } from "./examples.js";

/** Where delta is so small that expm1(delta) is delta. */
const LOG_SMALL = -20;

/**
 * The logarithm of `L(W) - L_*` for the logistic loss and a linear head, L_* being what is reached where every example gives all
 * its attention to its best token. It is accurate at norms at which the difference itself has no digit left:
 *
 *     delta_i = sum_t s_it (best_i - gamma_it),   l(o) - l(best) = log1p(expm1(delta) sigmoid(-best))
 *
 * @param scores gamma, `[n, T]`.
 */
export function logExcess(w: Tensor, read: ReadExamples, scores: Tensor): Tensor {
  const best = max(scores, 1);
  const gap = sub(expandDims(best, 1), scores);
  // Tokens that are not there or are as good as the best one add nothing.
  const counts = gap.greater(0).mul(read.mask).greater(0);
  const logGap = where(counts, log(where(counts, gap, 1)), -Infinity);
  const logAttention = logSoftmax(maskedScores(w, read), 1);
  const logDelta = logSumExp(where(counts, add(where(counts, logAttention, 0), where(counts, logGap, 0)), -1e300), 1);
  const small = logDelta.less(LOG_SMALL);
  const delta = where(small, 1, logDelta).exp();
  const large = log(log1p(mul(expm1(delta), sigmoid(neg(best)))));
  const each = where(small, add(logDelta, special.logSigmoid(neg(best))), large);
  return sub(logSumExp(each), Math.log(read.count));
}
