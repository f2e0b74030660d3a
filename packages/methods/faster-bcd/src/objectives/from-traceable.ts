import { hostTensor, hvp, requireInteger, type Tensor, valueAndGrad } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";

/**
 * An objective from a function of tensors: its gradient and the Hessians of blocks come by automatic differentiation, so
 * that the updates `newton`, `pn`, `tmp` and `lipschitz-approx` can be used.
 * @param f a convex function of x `[n]` (float64) to a scalar, written in operations of `@offprint/tensor-core`
 * @example fromTraceable((x) => sum(square(sub(x, 1))), 10)
 */
export function fromTraceable(f: (x: Tensor) => Tensor, n: number): BlockObjective {
  requireInteger("fromTraceable", "n", n, 1);
  const point = (x: Float64Array): Tensor => hostTensor(x, [n], "float64");
  const both = valueAndGrad(f);
  const hessianTimes = hvp(f);
  return {
    n,
    value: (x) => f(point(x)).item(),
    gradient: (x) => both(point(x))[1].data() as Float64Array,
    blockHessian(x, block) {
      const t = block.length;
      const out = new Float64Array(t * t);
      for (let a = 0; a < t; a++) {
        const unit = new Float64Array(n);
        unit[block[a]] = 1;
        const column = hessianTimes(point(x), point(unit)).data();
        for (let b = 0; b < t; b++) out[b * t + a] = column[block[b]];
      }
      return out;
    },
  };
}
