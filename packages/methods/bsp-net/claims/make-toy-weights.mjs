// Trains the network on toy images that claims ship, and writes it as it is after phase 0 and after phase 1 as a module.
// From the package's folder: node --conditions=@offprint/source --import ../../../tooling/typescript/register.mjs claims/make-toy-weights.mjs [seed] [file]
import { writeFileSync } from "node:fs";
import { saveParameters } from "@offprint/nn";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { meanIou, reconstructed, toyModel, toySchedule, trainingSeed } from "./toy-model.ts";
import { trainStage } from "./toy-networks.ts";
import { toyShapes } from "./toy-shapes.ts";

const seed = Number(process.argv[2] ?? 0);
const target = process.argv[3] ?? new URL("toy-weights.ts", import.meta.url);
const backend = await onnxRuntime({ device: "cpu", threads: 1 });
const shapes = toyShapes(400, trainingSeed(seed));
let lines = "";
let params;
for (const stage of toySchedule) {
  const started = performance.now();
  const context = { backend, signal: new AbortController().signal };
  ({ params } = await trainStage(context, shapes, stage, `${seed}/${stage.phase}`, () => {}, params));
  const iou = meanIou(reconstructed(params, shapes, stage.phase, 100), shapes);
  const connected = params.tree?.T.data().reduce((count, t) => count + (t > 0.01 ? 1 : 0), 0) ?? 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `phase ${stage.phase}: IoU ${iou.toFixed(4)}, ${(connected / toyModel.options.convexes).toFixed(1)} planes per convex, ${seconds} s`,
  );
  lines += `  ${stage.phase}: "${Buffer.from(saveParameters(params)).toString("base64")}",\n`;
}
const head =
  `// Made by make-toy-weights.mjs with seed ${seed}: float32 safetensors files in base64.\n\n` +
  "/** Weights of the network on toy images after phase 0 and after phase 1. */\nexport const toyWeights = {\n";
writeFileSync(target, `${head}${lines}} as const;\n`);
await backend.release();
