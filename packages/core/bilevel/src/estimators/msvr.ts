import { add, mul, requireInteger, sub, type Tensor, ValueError } from "@offprint/tensor-core";

/**
 * MSVR (Jiang, Li, Wang, Zhang and Yang 2022), for the rows of the blocks that were sampled:
 * `(1 - alpha) estimate + alpha now + gamma (now - before)`. `now` and `before` are evaluated on the same batch at the
 * present iterate and at that of the iteration before; rows of other blocks stay.
 * @param alpha - weight of the new sample
 * @param gamma - weight of the change, {@link msvrGamma}
 */
export function msvr(
  estimate: Tensor,
  now: Tensor,
  before: Tensor,
  alpha: Tensor | number,
  gamma: Tensor | number,
): Tensor {
  return add(add(mul(sub(1, alpha), estimate), mul(alpha, now)), mul(gamma, sub(now, before)));
}

/**
 * The weight of the change that makes up for the iterations in which a block is not sampled:
 * `(m - I) / (I (1 - alpha)) + (1 - alpha)`; with all blocks sampled `1 - alpha`, which is STORM.
 * @param blocks - m
 * @param sampled - I, the blocks sampled in each iteration
 * @throws ValueError for alpha outside (0, 1), or (0, 1] where all blocks are sampled.
 */
export function msvrGamma(blocks: number, sampled: number, alpha: number): number {
  requireInteger("msvrGamma", "blocks", blocks, 1);
  requireInteger("msvrGamma", "sampled", sampled, 1, blocks);
  if (sampled === blocks && alpha === 1) return 0;
  if (!(alpha > 0 && alpha < 1)) {
    throw new ValueError(`msvrGamma: alpha is ${alpha}; it must be in (0, 1), as 1 - alpha is divided by`);
  }
  return (blocks - sampled) / (sampled * (1 - alpha)) + (1 - alpha);
}
