import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { add, eye, matmul, mul, random, square, sub, sum, type Tensor, tensor, transpose } from "@offprint/tensor-core";

const float64 = { dtype: "float64" } as const;

/** F = |x|^2 + |y - 1|^2 over f = |y - x|^2 / 2 (and a turn of it), under sum y + sum x <= 1. */
export function halfSpaceProblem(n = 3, equality = false): ConstrainedBilevelProblem {
  const rng = random.rng(7);
  const half = rng.normal([n, n], float64);
  const curvature = add(mul(matmul(half, transpose(half)), 0.2), eye(n, n, "float64"));
  return {
    initial: { x: rng.normal([n], float64), y: rng.normal([n], float64) },
    upper: (x, y) => add(sum(square(x)), sum(square(sub(y, 1)))),
    lower(x, y) {
      const r = sub(y, x);
      return mul(sum(mul(r, matmul(curvature, r))), 0.5);
    },
    constraints: (x, y) => sub(add(sum(x), sum(y)), 1).reshape([1]),
    equality,
    projectJointly(x, y) {
      const excess = mul(sub(add(sum(x), sum(y)), 1), 1 / (2 * n));
      const step = equality ? excess : excess.maximum(0);
      return { x: sub(x, step), y: sub(y, step) };
    },
  };
}

/** f = |y - x|^2 / 2 with nothing to satisfy. */
export function freeProblem(n = 2): ConstrainedBilevelProblem {
  return {
    initial: { x: tensor(new Float64Array(n).fill(2), float64), y: tensor(new Float64Array(n).fill(-1), float64) },
    upper: (x, y) => add(sum(square(sub(x, 1))), sum(square(y))),
    lower: (x, y) => mul(sum(square(sub(y, x))), 0.5),
    constraints: () => tensor(new Float64Array(0), float64),
    projectJointly: (x: Tensor, y: Tensor) => ({ x, y }),
  };
}
