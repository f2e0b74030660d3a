// What does `jit` add to the session's own run, and what do tracing and compiling cost?
import { compare } from "@offprint/bench";
import { onnxRuntime, toOnnx } from "@offprint/onnx-runtime";
import { jit, type Tensor, tree } from "@offprint/tensor-core";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { cnn, mlp, type Params } from "./models.js";

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const { params, data, step } = mlp([2, 64, 3], 32);
  const jitted = jit(step, { backend });
  const session = await InferenceSession.create(toOnnx(step, params, ...data), { intraOpNumThreads: 1 });
  const feeds: Record<string, OrtTensor> = {};
  tree.leaves<Tensor>([params, ...data]).forEach((t, i) => {
    feeds[`input${i}`] = new OrtTensor(t.dtype as "float32", t.data() as Float32Array, [...t.shape]);
  });
  const count = tree.leaves(params).length;
  let p: Params = params;
  const row = await compare({
    name: "jit, MLP 2-64-3, batch 32",
    ours: async () => {
      p = await jitted(p, ...data);
    },
    peers: {
      "session.run": async () => {
        const results = await session.run(feeds);
        for (let i = 0; i < count; i++) feeds[`input${i}`] = results[`output${i}`] as OrtTensor;
      },
    },
    repetitions: 41,
  });
  const added = row.seconds - (row.peers[0].seconds ?? 0);
  console.log(`jit adds ${(added * 1e6).toFixed(1)} us to a run (goal <= 30 us)`);
  const model = cnn(32);
  await compare({
    name: "trace and compile the digits CNN's step",
    ours: async () => {
      const fresh = jit(model.step, { backend });
      await fresh(model.params, ...model.data);
      await fresh.release();
    },
    maxSeconds: 0.5,
  });
  await backend.release();
}
