// What do 100 training steps cost as one Loop in one run, and as 100 runs?
import { compare } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { jit, scan, type Tensor } from "@offprint/tensor-core";
import { mlp, type Params } from "./models.js";

const STEPS = 100;

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const { params, data, step } = mlp([2, 64, 3], 32);
  const once = jit(step, { backend });
  const many = jit(
    (p: Params, x: Tensor, y: Tensor) =>
      scan((state: Params) => [step(state, x, y), null] as [Params, null], p, null, { length: STEPS })[0],
    { backend },
  );
  const [x, y] = data;
  await compare({
    name: `${STEPS} steps of MLP 2-64-3, batch 32, in one run`,
    ours: () => many(params, x, y),
    peers: {
      [`${STEPS} runs`]: async () => {
        let p = params;
        for (let i = 0; i < STEPS; i++) p = await once(p, x, y);
      },
    },
    maxRatio: 1,
    repetitionSeconds: 0.1,
  });
  await backend.release();
}
