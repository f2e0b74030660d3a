import { add, jitSync, mul, requireObject, type Tensor, take, tensor } from "@offprint/tensor-core";

const combine = jitSync(
  (factors: Tensor, tensors: Tensor[]): Tensor =>
    tensors.map((x, i) => mul(x, take(factors, i).cast(x.dtype))).reduce((a, b) => add(a, b)),
);

/**
 * `factors[0] tensors[0] + factors[1] tensors[1] + ...` in one pass over memory: what a sampler does between two calls of
 * its denoiser.
 */
export function linearCombination(factors: readonly number[], tensors: readonly Tensor[]): Tensor {
  requireObject("linearCombination", "factors", factors, "an array of numbers");
  requireObject("linearCombination", "tensors", tensors, "an array");
  return combine(tensor(Float64Array.from(factors)), [...tensors]);
}
