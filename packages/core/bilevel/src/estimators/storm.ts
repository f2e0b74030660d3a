import { add, mul, sub, type Tensor } from "@offprint/tensor-core";

/**
 * STORM (Cutkosky and Orabona 2019): `now + (1 - beta) (estimate - before)`, where `now` and `before` are evaluated on the
 * same batch at the present and at the previous point. Less noise without a lag.
 * @param beta - weight of the new sample, in (0, 1]
 */
export function storm(estimate: Tensor, now: Tensor, before: Tensor, beta: Tensor | number): Tensor {
  return add(now, mul(sub(1, beta), sub(estimate, before)));
}
