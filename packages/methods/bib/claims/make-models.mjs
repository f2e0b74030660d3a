// Trains the tiny language models that ship, one for each of the landscapes 0 to 3, and writes them into assets/. From the package's folder:
// node --conditions=@offprint/source --import ../../../tooling/typescript/register.mjs claims/make-models.mjs
import { writeFile } from "node:fs/promises";
import { saveParameters } from "@offprint/nn";
import { random } from "@offprint/tensor-core";
import { assetAddress } from "#assets";
import { dnaLandscape, trainSequenceModel } from "../src/index.ts";

for (const seed of [0, 1, 2, 3]) {
  const corpus = dnaLandscape({ seed }).corpus(20_000, random.rng(`corpus/${seed}`));
  const { params, history } = await trainSequenceModel(corpus, {
    seed,
    onProgress({ step, loss }) {
      if (step % 250 === 0) console.log(seed, step, loss.toFixed(3));
    },
  });
  const last = history.slice(-100).map(({ loss }) => loss);
  console.log(seed, "mean loss of the last 100 steps", last.reduce((a, b) => a + b) / last.length);
  await writeFile(assetAddress(`landscape-${seed}.safetensors`), saveParameters(params));
}
