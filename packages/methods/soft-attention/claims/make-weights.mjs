// Trains the networks that a claim ships, whatever comes out, and writes them into assets/: those on digits with seeds
// 0, 1, 2, those that denoise with seed 0. From the package's folder:
// node --import ../../../tooling/typescript/register.mjs claims/make-weights.mjs digits|denoising
import { writeFile } from "node:fs/promises";
import { writeSafetensors } from "@offprint/data";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { random, tree } from "@offprint/tensor-core";
import { assetAddress } from "#assets";
import { denoisingAttentions, denoisingError, denoisingImages, trainDenoisers } from "./denoising-network.ts";
import { digitAttentions, digitJudge, trainDigits } from "./digit-network.ts";
import { assetName } from "./shipped-networks.ts";

const backend = await onnxRuntime();
const context = { backend, signal: new AbortController().signal };

/** Writes a tree as a float16 safetensors file. */
async function write(name, model) {
  const leaves = tree.leaves(model);
  const tensors = Object.fromEntries(tree.paths(model).map((path, i) => [path, leaves[i]]));
  await writeFile(assetAddress(name), writeSafetensors(tensors, { floatType: "float16" }));
}

const makers = {
  async digits() {
    for (const name of /** @type {const} */ (["softmax", "SOFT", "SOFT++"])) {
      const judge = digitJudge(context, digitAttentions[name]);
      for (const seed of [0, 1, 2]) {
        const model = await trainDigits(context, digitAttentions[name], seed);
        console.log(name, seed, await judge.accuracy(model, seed));
        await write(assetName("digits", name, seed), model);
      }
      await judge.release();
    }
  },
  async denoising() {
    const attentions = denoisingAttentions();
    const trained = await trainDenoisers(context, attentions, 0, 0);
    const test = denoisingImages(random.rng("0/test-images"), 64);
    for (const [name, params] of Object.entries(trained)) {
      console.log(name, await denoisingError(context, attentions[name], params, test));
      await write(assetName("denoising", name, 0), params);
    }
  },
};

await makers[process.argv[2]]();
await backend.release();
