import {
  add,
  exp,
  eye,
  linalg,
  log,
  matmul,
  mean,
  mul,
  neg,
  random,
  sigmoid,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import type { BilevelProblem } from "../src/index.js";

const float64 = { dtype: "float64" } as const;

/** f = |y - t|^2 / 2 + r |x|^2 / 2 over g = |y - W x|^2_A / 2: everything is known. */
export function quadraticProblem(seed: number, dx = 3, dy = 4, condition = dy) {
  const rng = random.rng(seed);
  const w = rng.normal([dy, dx], float64);
  const t = rng.normal([dy], float64);
  const q = rng.orthogonal([dy, dy], float64);
  const spectrum = tensor(
    Float64Array.from({ length: dy }, (_, i) => 1 + (i * (condition - 1)) / (dy - 1)),
    float64,
  );
  const a = matmul(mul(q, spectrum), transpose(q));
  const problem: BilevelProblem = {
    initial: { x: rng.normal([dx], float64), y: rng.normal([dy], float64) },
    upper: (x, y) => add(mul(sum(square(sub(y, t))), 0.5), mul(sum(square(x)), 0.05)),
    lower(x, y) {
      const r = sub(y, matmul(w, x));
      return mul(sum(mul(r, matmul(a, r))), 0.5);
    },
  };
  const star = (x: Tensor) => matmul(w, x);
  const gradient = (x: Tensor) => add(matmul(transpose(w), sub(matmul(w, x), t)), mul(x, 0.1));
  const minimiser = linalg.solve(
    add(matmul(transpose(w), w), mul(eye(dx, dx, "float64"), 0.1)),
    matmul(transpose(w), t),
  );
  return { problem, w, a, t, star, gradient, minimiser, value: (x: Tensor) => problem.upper(x, star(x), null) };
}

/** The same with noise on every derivative, drawn as batches. */
export function noisyQuadratic(seed: number, noise = 0.1) {
  const { problem, ...rest } = quadraticProblem(seed);
  const [dx, dy] = [problem.initial.x.size, problem.initial.y.size];
  type Noise = { readonly x: Tensor; readonly y: Tensor };
  const draw = (rng: random.Rng): Noise => ({
    x: rng.normal([dx], { std: noise, ...float64 }),
    y: rng.normal([dy], { std: noise, ...float64 }),
  });
  const push = (x: Tensor, y: Tensor, n: Noise) => add(sum(mul(x, n.x)), sum(mul(y, n.y)));
  const silent = { x: tensor(new Float64Array(dx), float64), y: tensor(new Float64Array(dy), float64) };
  const noisy: BilevelProblem<Tensor, Tensor, Noise> = {
    initial: problem.initial,
    upper: (x, y, n) => add(problem.upper(x, y, null), push(x, y, n)),
    lower: (x, y, n) => add(problem.lower(x, y, null), push(x, y, n)),
    sample: { upper: draw, lower: draw },
    full: { upper: silent, lower: silent },
  };
  return { ...rest, problem: noisy };
}

/** Logistic regression with a weight for each example: the problem of the sheet's exact answer. */
export function logisticCleaning(seed: number, n = 40, dy = 5, mu = 0.1): BilevelProblem {
  const rng = random.rng(seed);
  const [a, v] = [rng.normal([n, dy], float64), rng.normal([n, dy], float64)];
  const truth = rng.normal([dy], float64);
  const signs = (rows: Tensor) =>
    tensor(
      Float64Array.from(matmul(rows, truth).data() as Float64Array, (m) => Math.sign(m)),
      float64,
    );
  const [b, c] = [signs(a), signs(v)];
  const losses = (rows: Tensor, labels: Tensor, y: Tensor) => log(add(exp(neg(mul(labels, matmul(rows, y)))), 1));
  return {
    initial: { x: rng.normal([n], float64), y: rng.normal([dy], float64) },
    upper: (_, y) => mean(losses(v, c, y)),
    lower: (x, y) => add(mean(mul(sigmoid(x), losses(a, b, y))), mul(sum(square(y)), mu / 2)),
  };
}
