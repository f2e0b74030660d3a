import { defaultDevice, grad, init, type Array as JaxArray, jit, nn, numpy as np } from "@jax-js/jax";
import { data, type Library, type Perceptron, type Run } from "./workloads.js";

// A function of jax-js owns its arguments and frees them; `.ref` keeps an array for another use.

// Its trees are type aliases: an interface is refused.
type Params = { w0: JaxArray; b0: JaxArray; w1: JaxArray; b1: JaxArray };

const matrix = (values: Float32Array, ...shape: number[]) =>
  np.array(values as Float32Array<ArrayBuffer>).reshape(shape);

const read = async (result: JaxArray) => (await result.data()) as Float32Array;

const held = ({ w0, b0, w1, b1 }: Params): Params => ({ w0: w0.ref, b0: b0.ref, w1: w1.ref, b1: b1.ref });

function training({ sizes: [n, hidden, m], batch, steps, learningRate, ...arrays }: Perceptron): Run {
  const start: Params = {
    w0: matrix(arrays.w0, n, hidden),
    b0: matrix(arrays.b0, hidden),
    w1: matrix(arrays.w1, hidden, m),
    b1: matrix(arrays.b1, m),
  };
  const [x, y] = [matrix(arrays.x, batch, n), matrix(arrays.y, batch, m)];
  const loss = (p: Params, x: JaxArray, y: JaxArray) => {
    const layer = nn.relu(np.matmul(x, p.w0).add(p.b0));
    return np.square(np.matmul(layer, p.w1).add(p.b1).sub(y)).mean();
  };
  const step = jit((p: Params, x: JaxArray, y: JaxArray): Params => {
    const slope = grad(loss)(held(p), x, y) as Params;
    return {
      w0: p.w0.sub(slope.w0.mul(learningRate)),
      b0: p.b0.sub(slope.b0.mul(learningRate)),
      w1: p.w1.sub(slope.w1.mul(learningRate)),
      b1: p.b1.sub(slope.b1.mul(learningRate)),
    };
  });
  return async () => {
    let params = held(start);
    for (let i = 0; i < steps; i++) params = step(params, x.ref, y.ref) as Params;
    for (const unread of [params.w0, params.b0, params.b1]) unread.dispose();
    return read(params.w1);
  };
}

function rosenbrock(x: JaxArray): JaxArray {
  const size = x.shape[0]!;
  const head = x.ref.slice([0, size - 1]);
  const tail = x.slice([1, size]);
  return np
    .square(tail.sub(np.square(head.ref)))
    .mul(100)
    .add(np.square(head.mul(-1).add(1)))
    .sum();
}

const work = {
  "small-step": () => training(data["small-step"]()),
  "large-step": () => training(data["large-step"]()),
  chain() {
    const { x, y } = data.chain();
    const [a, b] = [matrix(x, x.length), matrix(y, y.length)];
    const chain = jit((x: JaxArray, y: JaxArray) =>
      np
        .sqrt(x.ref.mul(x.ref).add(y.ref.mul(y.ref)))
        .mul(0.5)
        .add(np.maximum(x.sub(y), 0)),
    );
    return () => read(chain(a.ref, b.ref));
  },
  product() {
    const { size, a, b } = data.product();
    const [left, right] = [matrix(a, size, size), matrix(b, size, size)];
    return () => read(np.matmul(left.ref, right.ref));
  },
  gradients() {
    const { start, steps, stepSize } = data.gradients();
    const slope = grad(rosenbrock);
    const step = jit((x: JaxArray) => x.ref.sub(slope(x).mul(stepSize)));
    const from = matrix(start, start.length);
    return () => {
      let x: JaxArray = from.ref;
      for (let i = 0; i < steps; i++) x = step(x);
      return read(x);
    };
  },
} satisfies Record<keyof typeof data, () => Run>;

/** jax-js on its WebAssembly device. */
export async function jaxJs(version: string): Promise<Library> {
  await init("wasm");
  defaultDevice("wasm");
  return { name: "jax-js", version, prepare: async (id) => work[id]() };
}
