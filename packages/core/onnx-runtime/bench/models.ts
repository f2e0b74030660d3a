// The models of the training-step benchmarks, in ordinary tensor-core code.
import * as core from "@offprint/tensor-core";
import {
  add,
  div,
  grad,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  ones,
  random,
  relu,
  reshape,
  softmax,
  sqrt,
  square,
  sub,
  type Tensor,
  takeAlongAxis,
  transpose,
  tree,
  zeros,
} from "@offprint/tensor-core";

export type Params = { [name: string]: Tensor };

function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return neg(mean(takeAlongAxis(logSoftmax(logits), reshape(labels, [-1, 1]), { axis: 1 })));
}

/** One step of gradient descent, state in and state out. */
export function sgdStep(loss: (p: Params, ...data: Tensor[]) => Tensor, rate = 0.01) {
  return (p: Params, ...data: Tensor[]): Params =>
    tree.map((w: Tensor, g: Tensor) => sub(w, mul(g, rate)), p, grad(loss)(p, ...data));
}

export function mlp(sizes: readonly number[], batch: number) {
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
  return {
    params,
    data: [rng.normal([batch, sizes[0]]), rng.randint([batch], { low: 0, high: sizes[sizes.length - 1] })],
    step: sgdStep(loss),
  };
}

export function cnn(batch: number) {
  const rng = random.rng(0);
  const params: Params = {
    k1: rng.normal([8, 1, 3, 3], { std: 0.2 }),
    c1: zeros([8]),
    k2: rng.normal([16, 8, 3, 3], { std: 0.1 }),
    c2: zeros([16]),
    w: rng.normal([64, 10], { std: 0.1 }),
    b: zeros([10]),
  };
  const layer = (x: Tensor, k: Tensor, c: Tensor) =>
    core.maxPool(relu(add(core.conv(x, k, { padding: 1 }), reshape(c, [-1, 1, 1]))), 2);
  const loss = (p: Params, x: Tensor, y: Tensor) => {
    const h = layer(layer(x, p.k1, p.c1), p.k2, p.c2);
    return crossEntropy(add(matmul(reshape(h, [batch, 64]), p.w), p.b), y);
  };
  return {
    params,
    data: [rng.uniform([batch, 1, 8, 8]), rng.randint([batch], { low: 0, high: 10 })],
    step: sgdStep(loss),
  };
}

function layerNorm(x: Tensor, gain: Tensor, bias: Tensor): Tensor {
  const centred = sub(x, mean(x, { axis: -1, keepDims: true }));
  const variance = mean(square(centred), { axis: -1, keepDims: true });
  return add(mul(div(centred, sqrt(add(variance, 1e-5))), gain), bias);
}

export function transformer(d: number, heads: number, length: number, batch: number) {
  const rng = random.rng(0);
  const weight = (m: number, n: number) => rng.normal([m, n], { std: 0.05 });
  const params: Params = {
    qkv: weight(d, 3 * d),
    out: weight(d, d),
    up: weight(d, 4 * d),
    down: weight(4 * d, d),
    g1: ones([d]),
    b1: zeros([d]),
    g2: ones([d]),
    b2: zeros([d]),
  };
  const size = d / heads;
  const loss = (p: Params, x: Tensor) => {
    const qkv = transpose(
      reshape(matmul(layerNorm(x, p.g1, p.b1), p.qkv), [batch, length, 3, heads, size]),
      [2, 0, 3, 1, 4],
    );
    const [q, k, v] = [0, 1, 2].map((i) => core.slice(qkv, [i]));
    const scores = softmax(div(matmul(q, transpose(k, [0, 1, 3, 2])), Math.sqrt(size)));
    const heard = reshape(transpose(matmul(scores, v), [0, 2, 1, 3]), [batch, length, d]);
    const y = add(x, matmul(heard, p.out));
    const out = add(y, matmul(relu(matmul(layerNorm(y, p.g2, p.b2), p.up)), p.down));
    return mean(square(out));
  };
  return { params, data: [rng.normal([batch, length, d])], step: sgdStep(loss) };
}
