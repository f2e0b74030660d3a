// How long is a product with the Hessian, and a Lanczos spectrum of twenty of them, beside PyTorch and SciPy?
import { compare, python } from "@offprint/bench";
import { crossEntropy } from "@offprint/optim";
import { add, matmul, mul, random, type Tensor, tanh } from "@offprint/tensor-core";
import { curvature, krylovSpectrum } from "../src/index.js";

const peers = python(new URL("hessian_peers.py", import.meta.url));

interface Network {
  readonly w0: Tensor;
  readonly b0: Tensor;
  readonly w1: Tensor;
  readonly b1: Tensor;
}

function loss({ w0, b0, w1, b1 }: Network, { x, y }: { readonly x: Tensor; readonly y: Tensor }): Tensor {
  return crossEntropy(add(matmul(tanh(add(matmul(x, w0), b0)), w1), b1), y);
}

/** Times both for networks with one hidden layer. */
export async function run() {
  for (const { name, sizes, batch, dtype } of [
    { name: "digits network, 610 parameters", sizes: [64, 8, 10], batch: 1297, dtype: "float64" },
    { name: "digits network, 610 parameters, a batch of 32", sizes: [64, 8, 10], batch: 32, dtype: "float64" },
    { name: "101,770 parameters", sizes: [784, 128, 10], batch: 64, dtype: "float32" },
  ] as const) {
    const rng = random.rng("bench");
    const [n, hidden, m] = sizes;
    const draw = (...shape: number[]) => mul(rng.normal(shape, { dtype }), 0.1);
    const params = { w0: draw(n, hidden), b0: draw(hidden), w1: draw(hidden, m), b1: draw(m) };
    const data = { x: rng.normal([batch, n], { dtype }), y: rng.randint([batch], { high: m }) };
    const apply = curvature(loss).at(params, data);
    const size = n * hidden + hidden + hidden * m + m;
    const start = Float64Array.from({ length: size }, (_, i) => Math.sin(i + 1));
    const out = new Float64Array(size);
    await compare({
      name: `product with the Hessian, ${name}`,
      ours: () => apply(start, out),
      peers: {
        torch: peers.peer("product", sizes, batch, dtype),
        "torch, the gradient's graph kept": peers.peer("product of kept", sizes, batch, dtype),
      },
      maxRatio: 0.5,
    });
    await compare({
      name: `spectrum by 20 Lanczos steps, ${name}`,
      ours: () => krylovSpectrum(apply, start, 20),
      peers: { "torch in scipy's eigsh": peers.peer("eigsh", sizes, batch, dtype) },
      maxRatio: 2,
    });
  }
}
