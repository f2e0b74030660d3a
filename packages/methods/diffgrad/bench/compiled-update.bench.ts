import { compare } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { adam, applyUpdates, type GradientTransformation } from "@offprint/optim";
import { jit, random, type Tensor } from "@offprint/tensor-core";
import { diffGrad } from "../src/index.js";

const SIZE = 1e6;

/** What does a compiled update of a million float32 parameters cost beside Adam's? */
export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const rng = random.rng(0);
  const [first, gradient] = [rng.normal([SIZE]), rng.normal([SIZE])];
  const stepOf = (optimizer: GradientTransformation) => {
    const step = jit(
      (params: Tensor, state: any, g: Tensor) => {
        const { updates, state: next } = optimizer.update(g, state, params);
        return { params: applyUpdates(params, updates), state: next };
      },
      { backend },
    );
    let now = { params: first, state: optimizer.init(first) };
    return async () => {
      now = (await step(now.params, now.state, gradient)) as typeof now;
    };
  };
  await compare({
    name: "diffGrad update, 1e6 float32, compiled",
    ours: stepOf(diffGrad()),
    peers: { "shared Adam, compiled": stepOf(adam()) },
    maxRatio: 1.1,
    work: { amount: SIZE, unit: "parameter" },
  });
  await backend.release();
}
