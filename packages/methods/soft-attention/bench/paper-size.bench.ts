// Is the first stage of the paper's model, 56 x 56 tokens through a learned bottleneck of 49, at PyTorch's level?
import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { jit, random, type Tensor } from "@offprint/tensor-core";
import { softHeads } from "../src/index.js";

const torch = python(new URL("torch_peers.py", import.meta.url));
const [SIDE, FEATURES, HEADS] = [56, 32, 2];

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const soft = softHeads({ features: FEATURES, ratio: 8 });
  const params = soft.init(random.rng(0));
  const x = random.rng(1).normal([1, HEADS, SIDE * SIDE, FEATURES]);
  const forward = jit(
    (p: typeof params, q: Tensor) => soft.apply(p, { query: q, key: q, value: q, grid: [SIDE, SIDE] }),
    {
      backend,
    },
  );
  await compare({
    name: "SOFT, 3136 tokens, m = 49, 2 heads",
    ours: () => forward(params, x),
    peers: { torch: torch.peer("stage", SIDE, FEATURES, HEADS) },
    maxRatio: 1.2,
  });
  await backend.release();
}
