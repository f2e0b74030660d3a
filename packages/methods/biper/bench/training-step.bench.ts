// Does one step of training, compiled as a whole, run at the level of the same network in PyTorch, in both stages?
import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { sgd, trainingStep } from "@offprint/optim";
import { type Backend, jit, random, tensor } from "@offprint/tensor-core";
import { resnet20, type Stage, smallNetwork } from "../src/index.js";
import { stageLoss } from "../src/train-stage.js";

const torch = python(new URL("torch_peers.py", import.meta.url));

async function compiledStep(backend: Backend, name: "small" | "resnet20", stage: Stage, batch: number) {
  const network = name === "small" ? smallNetwork() : resnet20();
  const rng = random.rng(0);
  const shape = name === "small" ? [1, 8, 8] : [3, 32, 32];
  const data = {
    inputs: rng.normal([batch, ...shape]),
    targets: tensor(Int32Array.from({ length: batch }, (_, i) => i % 10)),
    tau: tensor(0.037),
  };
  const loss = stageLoss(network, stage, {});
  const optimizer = sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 });
  let params = network.init(rng);
  let state = network.initState();
  const step = jit(
    trainingStep((p: typeof params, modelState: typeof state, b: typeof data) => loss(p, b, { modelState }), optimizer),
    { backend },
  );
  let optimizerState = optimizer.init(params);
  return async () => {
    const result = await step(params, optimizerState, state, data);
    ({ params, optimizerState, extra: state } = result);
  };
}

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  for (const [name, batches] of [
    ["small", [8, 64, 512]],
    ["resnet20", [4, 32]],
  ] as const) {
    for (const batch of batches) {
      for (const stage of [1, 2] as const) {
        await compare({
          name: `training step of stage ${stage}, ${name} network, batch ${batch}`,
          ours: await compiledStep(backend, name, stage, batch),
          peers: { torch: torch.peer("step", name, stage, batch) },
          maxRatio: 1.2,
          repetitions: name === "small" ? 15 : 7,
        });
      }
    }
  }
  await backend.release();
}
