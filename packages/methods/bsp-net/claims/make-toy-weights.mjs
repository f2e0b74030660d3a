// Trains the network on toy images that claims ship, whatever comes out, and writes it as it is after phase 0 and after
// phase 1 into assets/. From the package's folder:
// node --conditions=@offprint/source --import ../../../tooling/typescript/register.mjs claims/make-toy-weights.mjs
import { writeFile } from "node:fs/promises";
import { writeSafetensors } from "@offprint/data";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { tree } from "@offprint/tensor-core";
import { assetAddress } from "#assets";
import { meanIou, reconstructed, toyModel } from "./toy-model.ts";
import { assetName, SHIPPED_SEED, shippedToy, trainToy } from "./toy-networks.ts";

const backend = await onnxRuntime({ device: "cpu", threads: 1 });
const context = { backend, seed: SHIPPED_SEED, signal: new AbortController().signal, onProgress: async () => {} };
const { networks } = await trainToy(context);
for (const phase of [0, 1]) {
  const leaves = tree.leaves(networks[phase]);
  const tensors = Object.fromEntries(tree.paths(networks[phase]).map((path, i) => [path, leaves[i]]));
  await writeFile(assetAddress(assetName(phase)), writeSafetensors(tensors, { floatType: "float16" }));
}
const shipped = await shippedToy();
for (const phase of [0, 1]) {
  const iou = meanIou(reconstructed(shipped.networks[phase], shipped.shapes, phase, 100), shipped.shapes);
  const connected = shipped.networks[phase].tree?.T.data().reduce((count, t) => count + (t > 0.01 ? 1 : 0), 0) ?? 0;
  const planes = (connected / toyModel.options.convexes).toFixed(1);
  console.log(`phase ${phase}: IoU ${iou.toFixed(4)}, ${planes} planes per convex`);
}
await backend.release();
