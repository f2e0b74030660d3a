import type { BilevelProblem } from "@offprint/bilevel";
import { add, matmul, mul, type Rng, random, square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";

const float64 = { dtype: "float64" } as const;

/** f = scale |y - t|^2 / 2 over g = |y - W x|^2 / 2: y*(x) = W x, H = I, and the gradient is W'(W x - t). */
export function unitProblem(scale = 1) {
  const rng = random.rng(4);
  const [w, t] = [rng.normal([3, 3], float64), rng.normal([3], float64)];
  const problem: BilevelProblem = {
    initial: { x: rng.normal([3], float64), y: tensor(new Float64Array(3), float64) },
    upper: (_, y) => mul(sum(square(sub(y, t))), scale / 2),
    lower: (x, y) => mul(sum(square(sub(y, matmul(w, x)))), 0.5),
  };
  return { problem, w, t };
}

/** The same with noise on every gradient. */
export function noisyProblem() {
  const { problem } = unitProblem();
  const draw = (rng: Rng) => rng.normal([6], { std: 0.1, ...float64 });
  const push = (x: Tensor, y: Tensor, n: Tensor) =>
    add(sum(mul(x, n.slice([{ stop: 3 }]))), sum(mul(y, n.slice([{ start: 3 }]))));
  const noisy: BilevelProblem<Tensor, Tensor, Tensor> = {
    initial: problem.initial,
    upper: (x, y, n) => add(problem.upper(x, y, null), push(x, y, n)),
    lower: (x, y, n) => add(problem.lower(x, y, null), push(x, y, n)),
    sample: { upper: draw, lower: draw },
  };
  return noisy;
}
