// Trains the networks that the claim on digits ships (seeds 0, 1, 2, whatever comes out) and writes them as a module.
// From the package's folder: node --import ../../../tooling/typescript/register.mjs claims/make-digit-weights.mjs
import { writeFileSync } from "node:fs";
import { writeSafetensors } from "@offprint/data";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { tree } from "@offprint/tensor-core";
import { digitAccuracy, digitAttentions, trainDigits } from "./digit-network.ts";

const backend = await onnxRuntime();
const signal = new AbortController().signal;
const lines = [];
for (const name of /** @type {const} */ (["softmax", "SOFT", "SOFT++"])) {
  lines.push(`  "${name}": [\n`);
  for (const seed of [0, 1, 2]) {
    const model = await trainDigits({ backend, signal }, digitAttentions[name], seed);
    const leaves = tree.leaves(model);
    const tensors = Object.fromEntries(tree.paths(model).map((path, i) => [path, leaves[i]]));
    const bytes = writeSafetensors(tensors, { floatType: "float16" });
    console.log(name, seed, await digitAccuracy({ backend }, digitAttentions[name], model, seed));
    lines.push(`    "${Buffer.from(bytes).toString("base64")}",\n`);
  }
  lines.push("  ],\n");
}
const head =
  "// Made by make-digit-weights.mjs: networks trained with seeds 0, 1, 2; float16 safetensors files in base64.\n\n" +
  "/** Weights by attention and seed. */\nexport const digitWeights = {\n";
writeFileSync(new URL("digit-weights.ts", import.meta.url), `${head}${lines.join("")}} as const;\n`);
await backend.release();
