// Is a compiled step faster than the fastest JavaScript peer?
import { compare } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { jit, type Tensor } from "@offprint/tensor-core";
import { mlp, type Params } from "./models.js";

/** The same step in jax-js on its WebAssembly device. */
async function jaxStep(sizes: readonly number[], batch: number): Promise<() => Promise<void>> {
  // jax-js asks for a browser's navigator while it looks for devices.
  (globalThis as { navigator?: unknown }).navigator ??= {};
  const jax = await import("@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  const { numpy: np, nn, grad, jit: compile, tree, blockUntilReady } = jax;
  const model = mlp(sizes, batch);
  const array = (t: Tensor) => np.array(t.data() as Float32Array).reshape([...t.shape]);
  let params = [model.params.w0, model.params.b0, model.params.w1, model.params.b1].map(array);
  const x = array(model.data[0]);
  const y = nn.oneHot(np.array(model.data[1].data() as Int32Array), sizes[2]);
  type Arrays = typeof params;
  const loss = ([w0, b0, w1, b1]: Arrays, inputs: (typeof params)[0], targets: (typeof params)[0]) => {
    const hidden = nn.relu(np.dot(inputs, w0).add(b0));
    return nn.logSoftmax(np.dot(hidden, w1).add(b1)).mul(targets).sum().neg().div(batch);
  };
  const step = compile((p: Arrays, inputs: (typeof params)[0], targets: (typeof params)[0]) => {
    const gradients = grad(loss)(tree.ref(p), inputs, targets) as Arrays;
    return p.map((w, i) => w.sub(gradients[i].mul(0.01)));
  });
  return async () => {
    params = step(params, x.ref, y.ref) as Arrays;
    await blockUntilReady(params);
  };
}

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  for (const [sizes, batch] of [
    [[784, 256, 10], 64],
    [[2, 64, 3], 32],
  ] as const) {
    const model = mlp(sizes, batch);
    const step = jit(model.step, { backend });
    let params: Params = model.params;
    await compare({
      name: `MLP ${sizes.join("-")}, batch ${batch}`,
      ours: async () => {
        params = await step(params, ...model.data);
      },
      peers: { "jax-js": await jaxStep(sizes, batch) },
      maxRatio: 0.35,
    });
  }
  await backend.release();
}
