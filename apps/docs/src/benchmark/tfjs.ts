import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { data, type Library, type Perceptron, type Run } from "./workloads.js";

const read = (compute: () => tf.Tensor) => {
  const result = tf.tidy(compute);
  const values = result.dataSync() as Float32Array;
  result.dispose();
  return values;
};

function training({ sizes: [n, hidden, m], batch, steps, learningRate, ...arrays }: Perceptron): Run {
  const start = [
    tf.tensor2d(arrays.w0, [n, hidden]),
    tf.tensor1d(arrays.b0),
    tf.tensor2d(arrays.w1, [hidden, m]),
    tf.tensor1d(arrays.b1),
  ];
  const [x, y] = [tf.tensor2d(arrays.x, [batch, n]), tf.tensor2d(arrays.y, [batch, m])];
  const slope = tf.grads((w0, b0, w1, b1) => {
    const layer = tf.relu(tf.add(tf.matMul(x, w0 as tf.Tensor2D), b0));
    return tf.mean(tf.square(tf.sub(tf.add(tf.matMul(layer as tf.Tensor2D, w1 as tf.Tensor2D), b1), y)));
  });
  return () =>
    read(() => {
      let params: tf.Tensor[] = start;
      for (let i = 0; i < steps; i++) {
        // What a step leaves behind is freed at its end, as one would in a training loop.
        const at = params;
        params = tf.tidy(() => slope(at).map((g, k) => tf.sub(at[k]!, tf.mul(g, learningRate))));
      }
      return params[2]!;
    });
}

function rosenbrock(x: tf.Tensor): tf.Scalar {
  const rest = x.shape[0]! - 1;
  const [head, tail] = [tf.slice(x, [0], [rest]), tf.slice(x, [1], [rest])];
  return tf.sum(tf.add(tf.mul(tf.square(tf.sub(tail, tf.square(head))), 100), tf.square(tf.sub(1, head)))) as tf.Scalar;
}

const work = {
  "small-step": () => training(data["small-step"]()),
  "large-step": () => training(data["large-step"]()),
  chain() {
    const { x, y } = data.chain();
    const [a, b] = [tf.tensor1d(x), tf.tensor1d(y)];
    return () =>
      read(() => tf.add(tf.mul(tf.sqrt(tf.add(tf.mul(a, a), tf.mul(b, b))), 0.5), tf.maximum(tf.sub(a, b), 0)));
  },
  product() {
    const { size, a, b } = data.product();
    const [left, right] = [tf.tensor2d(a, [size, size]), tf.tensor2d(b, [size, size])];
    return () => read(() => tf.matMul(left, right));
  },
  gradients() {
    const { start, steps, stepSize } = data.gradients();
    const slope = tf.grad(rosenbrock);
    const from = tf.tensor1d(start);
    return () =>
      read(() => {
        let x: tf.Tensor = from;
        for (let i = 0; i < steps; i++) {
          const at = x;
          x = tf.tidy(() => tf.sub(at, tf.mul(slope(at), stepSize)));
        }
        return x;
      });
  },
} satisfies Record<keyof typeof data, () => Run>;

/** TensorFlow.js on its WebAssembly backend. */
export async function tensorFlow(version: string): Promise<Library> {
  setWasmPaths(new URL("./", import.meta.url).href);
  await tf.setBackend("wasm");
  await tf.ready();
  return { name: "TensorFlow.js", version, prepare: async (id) => work[id]() };
}
