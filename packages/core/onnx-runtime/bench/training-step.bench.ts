// Does a whole training step, traced from ordinary code, run at PyTorch's level? With ONNX Runtime, and with the
// fastest of it and tensor-core's own compiler.
import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { type Backend, fastest, hostBackend, jit, jitSync } from "@offprint/tensor-core";
import { cnn, mlp, type Params, transformer } from "./models.js";

const torch = python(new URL("torch_peers.py", import.meta.url));

type Model = ReturnType<typeof mlp>;

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const either = fastest([hostBackend, backend]);
  const measure = async (
    name: string,
    model: Model,
    peer: ReturnType<typeof torch.peer>,
    maxRatio: number,
    used: Backend = backend,
  ) => {
    const step = jit(model.step, { backend: used });
    let params: Params = model.params;
    await compare({
      name,
      ours: async () => {
        params = await step(params, ...model.data);
      },
      peers: { torch: peer },
      maxRatio,
    });
  };
  await measure("MLP 784-256-10, batch 64", mlp([784, 256, 10], 64), torch.peer("mlp", [784, 256, 10], 64), 1.0);
  await measure("MLP 2-64-3, batch 32", mlp([2, 64, 3], 32), torch.peer("mlp", [2, 64, 3], 32), 0.45);
  await measure("digits CNN, batch 32", cnn(32), torch.peer("cnn", 32), 1.2);
  await measure(
    "transformer block d=48, 4 heads, length 64, batch 16",
    transformer(48, 4, 64, 16),
    torch.peer("transformer", 48, 4, 64, 16),
    1.2,
  );
  const quickest = (name: string, model: Model, peer: ReturnType<typeof torch.peer>, maxRatio: number) =>
    measure(`${name}, the fastest`, model, peer, maxRatio, either);
  await quickest("MLP 784-256-10, batch 64", mlp([784, 256, 10], 64), torch.peer("mlp", [784, 256, 10], 64), 0.95);
  await quickest("digits CNN, batch 32", cnn(32), torch.peer("cnn", 32), 0.6);
  await quickest(
    "transformer block d=48, 4 heads, length 64, batch 16",
    transformer(48, 4, 64, 16),
    torch.peer("transformer", 48, 4, 64, 16),
    0.6,
  );
  const { params, data, step } = transformer(48, 4, 64, 16);
  await compare({
    name: "transformer block: tracing, compiling, first call",
    ours: () => {
      const fresh = jitSync(step);
      fresh(params, ...data);
      fresh.release();
    },
    maxSeconds: 60e-3,
  });
  await backend.release();
}
