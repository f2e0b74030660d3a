// What does a whole attribution cost, and how does it grow with the prompt? And what do its rivals cost?
import { compare } from "@offprint/bench";
import { type Gpt2, gpt2, initGpt2 } from "@offprint/language";
import { loadTinyModels } from "@offprint/language/tiny";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { baselines, reagent, replacers } from "../src/index.js";

/** Ten steps of five runs that never stop: 10 x 2 x 5 forward passes, and one. */
const search = { probes: 5, maxIterations: 10, minIterations: 11 };

function prompt(length: number, vocabSize: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => 4 + ((7 * i) % (vocabSize - 4)));
}

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const { lm, mlm } = await loadTinyModels({ backend });
  const ids = prompt(28, lm.vocabSize);
  const masked = replacers.mlm(mlm);
  await compare({
    name: "ten steps of ReAGent with the masked model, 28 tokens",
    ours: () => reagent(lm, ids, { ...search, replacer: masked, target: 5 }),
    peers: {
      "integrated gradients": () => baselines.integratedGradients(lm, ids, { target: 5 }),
      LIME: () => baselines.lime(lm, ids, { target: 5 }),
    },
    work: { amount: 101, unit: "forward passes" },
  });
  // The small model with room for longer prompts.
  const size = { vocabSize: lm.vocabSize, features: lm.features, layers: 2, positions: 512 };
  const long: Gpt2 = gpt2(initGpt2(random.rng(0), size), { heads: 4, backend });
  const uniform = replacers.uniform({ vocabSize: lm.vocabSize });
  const shortest = prompt(32, lm.vocabSize);
  for (const length of [64, 128, 256, 512]) {
    const longer = prompt(length, lm.vocabSize);
    await compare({
      name: `ten steps of ReAGent, ${length} tokens, against 32 tokens`,
      ours: () => reagent(long, longer, { ...search, replacer: uniform, target: 5 }),
      peers: { "32 tokens": () => reagent(long, shortest, { ...search, replacer: uniform, target: 5 }) },
      work: { amount: 101, unit: "forward passes" },
      repetitions: 7,
    });
  }
  await backend.release();
}
