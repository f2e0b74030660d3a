import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import {
  add,
  concatenate,
  mean,
  mul,
  type random,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";

const float64 = { dtype: "float64" } as const;

/**
 * The merely convex problem: x in R^n, y = (y1, y2) in R^2n,
 * F = |x - y2|^2 / 2 + |y1 - 1|^2 / 2, f = |y1|^2 / 2 - x' y1 + 1' y2 under 1'x + 1'y1 + 1'y2 = 0.
 * Its optimistic solution is x = -0.3, y1 = 0.7, y2 = -0.4, F = 0.05 n, with the multiplier -1; any y2 with the right sum
 * solves the lower problem.
 */
export function toyProblem(n: number, initial: { readonly x: Tensor; readonly y: Tensor }): ConstrainedBilevelProblem {
  const first = (y: Tensor) => slice(y, [{ stop: n }]);
  const second = (y: Tensor) => slice(y, [{ start: n }]);
  return {
    initial,
    upper: (x, y) => mul(add(sum(square(sub(x, second(y)))), sum(square(sub(first(y), 1)))), 0.5),
    lower: (x, y) => add(sub(mul(sum(square(first(y))), 0.5), sum(mul(x, first(y)))), sum(second(y))),
    constraints: (x, y) => add(sum(x), sum(y)).reshape([1]),
    equality: true,
    projectJointly(x, y) {
      const excess = mean(concatenate([x, y], 0));
      return { x: sub(x, excess), y: sub(y, excess) };
    },
  };
}

/** Where a run begins: all tens, or five times a normal vector. */
export function toyStart(n: number, rng?: random.Rng): { readonly x: Tensor; readonly y: Tensor } {
  if (rng === undefined) {
    return { x: tensor(new Float64Array(n).fill(10), float64), y: tensor(new Float64Array(2 * n).fill(10), float64) };
  }
  return { x: rng.normal([n], { std: 5, ...float64 }), y: rng.normal([2 * n], { std: 5, ...float64 }) };
}

/** The relative error `|x + 0.3| / (0.3 sqrt n)`. */
export function toyError(x: Tensor): number {
  return Math.hypot(...x.add(0.3).data()) / (0.3 * Math.sqrt(x.size));
}
