import {
  add,
  grad,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  random,
  relu,
  reshape,
  sub,
  type Tensor,
  takeAlongAxis,
  tree,
  zeros,
} from "@offprint/tensor-core";

/** Weights of a network, by name. */
export type Params = { [name: string]: Tensor };

/** A small classifier: its weights, a batch, and a step of gradient descent on the cross entropy. */
export function smallMlp(sizes: readonly number[] = [2, 64, 3], batch = 32) {
  const rng = random.rng(7);
  const params: Params = {};
  for (let i = 0; i + 1 < sizes.length; i++) {
    params[`w${i}`] = rng.normal([sizes[i], sizes[i + 1]], { std: 0.3 });
    params[`b${i}`] = zeros([sizes[i + 1]]);
  }
  const loss = (p: Params, x: Tensor, y: Tensor) => {
    let h = x;
    for (let i = 0; i + 1 < sizes.length; i++) {
      h = add(matmul(h, p[`w${i}`]), p[`b${i}`]);
      if (i + 2 < sizes.length) h = relu(h);
    }
    return neg(mean(takeAlongAxis(logSoftmax(h), reshape(y, [-1, 1]), { axis: 1 })));
  };
  const step = (p: Params, x: Tensor, y: Tensor): Params =>
    tree.map((w: Tensor, g: Tensor) => sub(w, mul(g, 0.1)), p, grad(loss)(p, x, y));
  const data: [Tensor, Tensor] = [
    rng.normal([batch, sizes[0]]),
    rng.randint([batch], { low: 0, high: sizes[sizes.length - 1] }),
  ];
  return { params, loss, step, data };
}
