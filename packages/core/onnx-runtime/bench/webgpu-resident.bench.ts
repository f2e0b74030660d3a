// Is a training step on the GPU faster when its state stays there than when it is moved each time?
import { compare } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { jit, type Tensor, tree } from "@offprint/tensor-core";
import { mlp, type Params } from "./models.js";

export async function run() {
  const backend = await onnxRuntime({ device: "webgpu" }).catch((error: Error) => error);
  if (backend instanceof Error) {
    console.log(`webgpu not run: ${backend.message}`);
    return;
  }
  const { params, step, data } = mlp([784, 256, 10], 64);
  const compiled = jit(step, { backend });
  const onHost = async (state: Params) => {
    const copies = await Promise.all(Object.entries(state).map(async ([name, x]) => [name, await x.host()] as const));
    tree.map((x: Tensor) => x.dispose(), state);
    return Object.fromEntries(copies);
  };
  // The data are moved in both.
  let resident: Params = params;
  let moved: Params = params;
  await compare({
    name: "MLP 784-256-10, batch 64, state resident on webgpu",
    ours: async () => {
      const before = resident;
      resident = await compiled(resident, ...data);
      if (before !== params) tree.map((x: Tensor) => x.dispose(), before);
      // The result of a step is waited for, as a loss that is read would do.
      await resident.b1.host();
    },
    peers: {
      "state moved": async () => {
        moved = await onHost(await compiled(moved, ...data));
      },
    },
    maxRatio: 1,
  });
  await backend.release();
}
