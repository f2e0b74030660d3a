import {
  add,
  grad,
  jitSync,
  matmul,
  maximum,
  mean,
  mul,
  relu,
  scan,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { data, type Library, type Perceptron, type Run } from "./workloads.js";

type Params = Readonly<Record<"w0" | "b0" | "w1" | "b1", Tensor>>;

const matrix = (values: Float32Array, ...shape: number[]) => tensor(values, { shape, dtype: "float32" });

const numbersOf = (result: Tensor) => result.data() as Float32Array;

function training({ sizes: [n, hidden, m], batch, steps, learningRate, ...arrays }: Perceptron): Run {
  const start: Params = {
    w0: matrix(arrays.w0, n, hidden),
    b0: matrix(arrays.b0, hidden),
    w1: matrix(arrays.w1, hidden, m),
    b1: matrix(arrays.b1, m),
  };
  const [x, y] = [matrix(arrays.x, batch, n), matrix(arrays.y, batch, m)];
  const loss = (p: Params, x: Tensor, y: Tensor) =>
    mean(square(sub(add(matmul(relu(add(matmul(x, p.w0), p.b0)), p.w1), p.b1), y)));
  const step = jitSync(
    (p: Params, x: Tensor, y: Tensor): Params =>
      tree.map((w: Tensor, g: Tensor) => sub(w, mul(g, learningRate)), p, grad(loss)(p, x, y)),
  );
  return () => {
    let params = start;
    for (let i = 0; i < steps; i++) params = step(params, x, y);
    return numbersOf(params.w1);
  };
}

function rosenbrock(x: Tensor): Tensor {
  const [head, tail] = [slice(x, [{ stop: -1 }]), slice(x, [{ start: 1 }])];
  return sum(add(mul(square(sub(tail, square(head))), 100), square(sub(1, head))));
}

const work = {
  "small-step": () => training(data["small-step"]()),
  "large-step": () => training(data["large-step"]()),
  chain() {
    const { x, y } = data.chain();
    const [a, b] = [matrix(x, x.length), matrix(y, y.length)];
    const chain = jitSync((x: Tensor, y: Tensor) =>
      add(mul(sqrt(add(mul(x, x), mul(y, y))), 0.5), maximum(sub(x, y), 0)),
    );
    return () => numbersOf(chain(a, b));
  },
  product() {
    const { size, a, b } = data.product();
    const [left, right] = [matrix(a, size, size), matrix(b, size, size)];
    return () => numbersOf(matmul(left, right));
  },
  gradients() {
    const { start, steps, stepSize } = data.gradients();
    const slope = grad(rosenbrock);
    const descent = jitSync((x: Tensor): Tensor => {
      const step = (at: Tensor, _: null): [Tensor, null] => [sub(at, mul(slope(at), stepSize)), null];
      return scan(step, x, null, { length: steps })[0];
    });
    const from = matrix(start, start.length);
    return () => numbersOf(descent(from));
  },
} satisfies Record<keyof typeof data, () => Run>;

/** This repository's tensor-core: host kernels, and functions that its own compiler has made. */
export function offprint(version: string): Library {
  return { name: "Offprint", version, prepare: async (id) => work[id]() };
}
