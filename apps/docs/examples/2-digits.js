// Train on handwritten digits
// A small network on 1797 real images, first eagerly, then with every step compiled to one ONNX graph.

import { batches, trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { mlp } from "@offprint/nn";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { accuracy, adam, crossEntropy, train } from "@offprint/optim";
import { div, random } from "@offprint/tensor-core";

const parts = trainTestSplit(digits(), { test: 400, rng: random.rng(0) });
const network = mlp({ sizes: [64, 64, 10] });
const logits = (params, images) => network.apply(params, div(images, 16));

const pixels = parts.test.inputs.data();
display({
  kind: "images",
  title: "Some of the images",
  images: Array.from({ length: 12 }, (_, i) => ({
    width: 8,
    height: 8,
    channels: 1,
    pixels: Array.from(pixels.subarray(64 * i, 64 * (i + 1)), (p) => p / 16),
    label: String(parts.test.targets.data()[i]),
  })),
});

async function run(name, backend) {
  const start = performance.now();
  const { params, history } = await train({
    initial: network.init(random.rng(1)),
    loss: (params, batch) => crossEntropy(logits(params, batch.inputs), batch.targets),
    optimizer: adam({ learningRate: 0.01 }),
    data: (_, rng) => batches(parts.train, { batchSize: 127, rng }),
    epochs: 10,
    backend,
  });
  const seconds = (performance.now() - start) / 1000;
  const right = accuracy(logits(params, parts.test.inputs), parts.test.targets);
  console.log(`${name}: ${(100 * right.item()).toFixed(2)} % right, ${seconds.toFixed(2)} s`);
  return { name, y: history.map(({ loss }) => loss) };
}

const eager = await run("eager");
const backend = await onnxRuntime({ device: "auto" });
console.log(`compiled functions run on ${backend.description}`);
const compiled = await run("compiled", backend);
await backend.release();

display({
  kind: "line",
  title: "Training loss",
  x: { label: "step" },
  y: { label: "cross-entropy", scale: "log" },
  curves: [eager, compiled],
});
