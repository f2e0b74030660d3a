// Trains the networks that a claim ships, whatever comes out, and writes them as a module: those on digits with seeds
// 0, 1, 2, those that denoise with seed 0. From the package's folder:
// node --import ../../../tooling/typescript/register.mjs claims/make-weights.mjs digits|denoising
import { writeFileSync } from "node:fs";
import { writeSafetensors } from "@offprint/data";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { tree } from "@offprint/tensor-core";
import { denoisingAttentions, trainDenoisers } from "./denoising-network.ts";
import { digitAttentions, digitJudge, trainDigits } from "./digit-network.ts";

const backend = await onnxRuntime();
const context = { backend, signal: new AbortController().signal };

/** A tree as a float16 safetensors file in base64. */
function base64(model) {
  const leaves = tree.leaves(model);
  const tensors = Object.fromEntries(tree.paths(model).map((path, i) => [path, leaves[i]]));
  return Buffer.from(writeSafetensors(tensors, { floatType: "float16" })).toString("base64");
}

const makers = {
  async digits() {
    const weights = {};
    for (const name of /** @type {const} */ (["softmax", "SOFT", "SOFT++"])) {
      const judge = digitJudge(context, digitAttentions[name]);
      weights[name] = [];
      for (const seed of [0, 1, 2]) {
        const model = await trainDigits(context, digitAttentions[name], seed);
        console.log(name, seed, await judge.accuracy(model, seed));
        weights[name].push(base64(model));
      }
      await judge.release();
    }
    return { file: "digit-weights.ts", constant: "digitWeights", seeds: "seeds 0, 1, 2", weights };
  },
  async denoising() {
    const weights = {};
    const trained = await trainDenoisers(context, denoisingAttentions, 0, 0);
    for (const [name, params] of Object.entries(trained)) weights[name] = [base64(params)];
    return { file: "denoising-weights.ts", constant: "denoisingWeights", seeds: "seed 0", weights };
  },
};

const { file, constant, seeds, weights } = await makers[process.argv[2]]();
const lists = Object.entries(weights).map(([name, all]) => {
  return `  "${name}": [\n${all.map((each) => `    "${each}",\n`).join("")}  ],\n`;
});
writeFileSync(
  new URL(file, import.meta.url),
  `// Made by make-weights.mjs: networks trained with ${seeds}; float16 safetensors files in base64.\n\n` +
    `/** Weights by attention and seed. */\nexport const ${constant} = {\n${lists.join("")}} as const;\n`,
);
await backend.release();
