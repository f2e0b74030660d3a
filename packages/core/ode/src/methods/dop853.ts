import { add, div, equal, mul, sqrt, square, stack, sub, type Tensor, tensor, where } from "@offprint/tensor-core";
import * as numbers from "./dop853-numbers.js";
import { combined } from "./explicit-runge-kutta.js";
import type { Method } from "./method.js";

/**
 * Dormand and Prince's method of order 8 with an error estimate of orders 5 and 3, and dense output of order 7.
 * @see Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, II.10.
 */
export const dop853: Method = {
  name: "dop853",
  order: 8,
  errorOrder: 8,
  adaptive: true,
  estimatesStiffness: false,
  stabilitySize: 6.1,
  evaluations: 12,
  basisSize: 8,
  step(system, t, y, h, first) {
    const size = system.scalar(h);
    const at = (row: readonly number[], k: readonly Tensor[]) => add(y, mul(size, combined(row, k)));
    const rate = (node: number, row: readonly number[], k: readonly Tensor[]) =>
      system.rate(add(t, mul(h, node)), at(row, k));
    const k = [first];
    numbers.stages.forEach((row, i) => {
      k.push(rate(numbers.nodes[i + 1], row, k));
    });
    const next = at(numbers.weights, k);
    const last = system.rate(add(t, h), next);
    k.push(last);
    return {
      next,
      last,
      error(norm) {
        const five = norm(mul(size, combined(numbers.error5, k)));
        const three = norm(mul(size, combined(numbers.error3, k)));
        const both = add(square(five), mul(square(three), 0.01));
        const none = equal(both, 0);
        return where(none, 0, div(square(five), sqrt(where(none, 1, both))));
      },
      basis() {
        const all = [...k];
        numbers.extraStages.forEach((row, i) => {
          all.push(rate(numbers.extraNodes[i], row, all));
        });
        const difference = sub(next, y);
        const [before, after] = [mul(size, first), mul(size, last)];
        return [
          y,
          difference,
          sub(before, difference),
          sub(mul(difference, 2), add(after, before)),
          ...numbers.dense.map((row) => mul(size, combined(row, all))),
        ];
      },
    };
  },
  denseWeights(theta) {
    const rest = sub(1, theta);
    const weights: Tensor[] = [tensor(1, { dtype: theta.dtype }), theta];
    for (let i = 0; i < 6; i++) weights.push(mul(weights[i + 1], i % 2 === 0 ? rest : theta));
    return stack(weights);
  },
};
