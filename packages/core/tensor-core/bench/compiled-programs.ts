// The programs of host-compiler.bench.ts, in ordinary tensor-core code.
import {
  abs,
  add,
  div,
  grad,
  less,
  logSoftmax,
  matmul,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  pow,
  random,
  relu,
  reshape,
  scan,
  sigmoid,
  slice,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  takeAlongAxis,
  tensor,
  tree,
  where,
  whileLoop,
  zeros,
} from "@offprint/tensor-core";

export type Params = { [name: string]: Tensor };

function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return neg(mean(takeAlongAxis(logSoftmax(logits), reshape(labels, [-1, 1]), { axis: 1 })));
}

/** A perceptron of layers of the given sizes, its loss and one step of gradient descent. */
export function perceptron(sizes: readonly number[], batch: number) {
  const rng = random.rng(0);
  const params: Params = {};
  for (let i = 0; i + 1 < sizes.length; i++) {
    params[`w${i}`] = rng.normal([sizes[i], sizes[i + 1]], { std: 0.05 });
    params[`b${i}`] = zeros([sizes[i + 1]]);
  }
  const loss = (p: Params, x: Tensor, y: Tensor) => {
    let h = x;
    for (let i = 0; i + 1 < sizes.length; i++) {
      h = add(matmul(h, p[`w${i}`]), p[`b${i}`]);
      if (i + 2 < sizes.length) h = relu(h);
    }
    return crossEntropy(h, y);
  };
  const step = (p: Params, x: Tensor, y: Tensor): Params =>
    tree.map((w: Tensor, g: Tensor) => sub(w, mul(g, 0.01)), p, grad(loss)(p, x, y));
  const data = [rng.normal([batch, sizes[0]]), rng.randint([batch], { low: 0, high: sizes[sizes.length - 1] })];
  return { params, data: data as [Tensor, Tensor], loss, step };
}

/** Rosenbrock's function. */
export function rosenbrock(x: Tensor): Tensor {
  const head = slice(x, [{ stop: -1 }]);
  const tail = slice(x, [{ start: 1 }]);
  return sum(add(mul(square(sub(tail, square(head))), 100), square(sub(1, head))));
}

/** Gradient steps on Rosenbrock's function. */
export function descend(steps: number) {
  const slope = grad(rosenbrock);
  return (x: Tensor): Tensor =>
    scan((s: Tensor, _: null): [Tensor, null] => [sub(s, mul(slope(s), 1e-4)), null], x, null, { length: steps })[0];
}

/** Dormand and Prince's pair of orders 5 and 4: nodes' weights, then the solution's, then the error's. */
const stages = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const errorWeights = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

function lorenz(y: Tensor): Tensor {
  const [a, b, c] = [0, 1, 2].map((i) => slice(y, [i]));
  return stack([mul(sub(b, a), 10), sub(mul(a, sub(28, c)), b), sub(mul(a, b), mul(c, 8 / 3))]);
}

function combine(ks: readonly Tensor[], weights: readonly number[]): Tensor {
  return weights
    .map((w, i) => [ks[i], w] as const)
    .filter(([, w]) => w !== 0)
    .map(([k, w]) => mul(k, w))
    .reduce((s, k) => add(s, k));
}

/** Steps of an adaptive Runge-Kutta method on the Lorenz system, accepted and rejected ones alike. */
export function integrate(steps: number) {
  interface State {
    readonly count: Tensor;
    readonly y: Tensor;
    readonly h: Tensor;
    readonly k: Tensor;
  }
  const body = ({ count, y, h, k }: State): State => {
    const ks = [k];
    let next = y;
    for (const weights of stages) {
      next = add(y, mul(combine(ks, weights), h));
      ks.push(lorenz(next));
    }
    const scale = add(mul(maximum(abs(y), abs(next)), 1e-8), 1e-8);
    const norm = sqrt(mean(square(div(mul(combine(ks, errorWeights), h), scale))));
    const accepted = less(norm, 1);
    const factor = minimum(maximum(mul(pow(norm, -0.2), 0.9), 0.2), 5);
    return {
      count: add(count, 1),
      y: where(accepted, next, y),
      h: mul(h, factor),
      k: where(accepted, ks[6], k),
    };
  };
  return (y: Tensor): Tensor => {
    const count = tensor(0, { dtype: "int32" });
    const h = tensor(1e-3, { dtype: "float64" });
    return whileLoop((s: State) => less(s.count, steps), body, { count, y, h, k: lorenz(y) }).y;
  };
}

/** `sqrt(x x + y y) / 2 + max(x - y, 0)`. */
export function chain(x: Tensor, y: Tensor): Tensor {
  return add(mul(sqrt(add(mul(x, x), mul(y, y))), 0.5), maximum(sub(x, y), 0));
}

/** Adam's update of one tensor of parameters. */
export function adam(p: Tensor, m: Tensor, v: Tensor, g: Tensor): [Tensor, Tensor, Tensor] {
  const first = add(mul(m, 0.9), mul(g, 0.1));
  const second = add(mul(v, 0.999), mul(mul(g, g), 0.001));
  return [sub(p, div(mul(first, 1e-3), add(sqrt(second), 1e-8))), first, second];
}

/** diffGrad's update: Adam's with a friction between 1/2 and 1. */
export function diffGrad(p: Tensor, m: Tensor, v: Tensor, old: Tensor, g: Tensor): [Tensor, Tensor, Tensor, Tensor] {
  const first = add(mul(m, 0.9), mul(g, 0.1));
  const second = add(mul(v, 0.999), mul(mul(g, g), 0.001));
  const friction = sigmoid(abs(sub(old, g)));
  return [sub(p, div(mul(mul(first, friction), 1e-3), add(sqrt(second), 1e-8))), first, second, g];
}

/** Numbers of about unit size. */
export function numbers(shape: readonly number[], dtype: "float32" | "float64"): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + 0.3)),
    { shape, dtype },
  );
}
