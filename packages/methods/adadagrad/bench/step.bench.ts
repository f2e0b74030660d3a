import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { logSumExp, matmul, mul, oneHot, random, sub, sum, type Tensor, take, tensor } from "@offprint/tensor-core";
import { type BatchRule, denseStatistics, trainAdaptive } from "../src/index.js";

const torch = python(new URL("torch_peers.py", import.meta.url));
const [FEATURES, CLASSES, N, STEPS] = [21, 5, 32_768, 20];

/** A step of softmax regression with the norm test, beside PyTorch's per-sample gradients; and what the test adds. */
export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const rng = random.rng(0);
  const x = rng.normal([N, FEATURES], { dtype: "float64" });
  const y = rng.randint([N], { high: CLASSES });
  const losses = (logits: Tensor, classes: Tensor) =>
    sub(logSumExp(logits, { axis: 1 }), sum(mul(logits, oneHot(classes, CLASSES, { dtype: "float64" })), { axis: 1 }));
  const problem = {
    params: { weight: tensor(new Float64Array(FEATURES * CLASSES), { shape: [FEATURES, CLASSES] }) },
    data: { size: N, batch: (indices: Int32Array) => ({ x: take(x, indices), y: take(y, indices) }) },
    sampleLoss: (p: any, b: any) => losses(matmul(b.x, p.weight), b.y),
    statistics: denseStatistics((p: any, b: any, layer) => losses(layer(p, b.x), b.y)),
  };
  const train = (test: BatchRule, batch: number) => () =>
    trainAdaptive(problem, {
      learningRate: 0.01,
      initialBatch: batch,
      maxBatch: batch + 1,
      maxMicro: N,
      test,
      steps: STEPS,
      backend,
    });
  // a test that always passes, so that the batch size stays
  const passing: BatchRule = { kind: "norm", eta: 1e9 };
  for (const batch of [256, 2048, 16_384]) {
    await compare({
      name: `norm test, batch ${batch}, ${STEPS} steps`,
      ours: train(passing, batch),
      peers: {
        "PyTorch vmap(grad)": torch.peer("tested", batch, FEATURES, CLASSES, STEPS),
        "ours without the test": train({ kind: "constant" }, batch),
      },
      work: { amount: STEPS, unit: "steps" },
      repetitions: 7,
    });
  }
  await backend.release();
}
