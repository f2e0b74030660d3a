import type { MethodCommand } from "@offprint/claims";
import { loadFile, saveFile } from "@offprint/data/node";
import { loadNetwork, packNetwork, savePacked } from "../src/index.js";

/** `offprint pack-binary NETWORK PACKED` */
export const packBinary: MethodCommand = {
  name: "pack-binary",
  summary: "Pack a trained binary network into a file of one bit per weight",
  arguments: [
    { name: "network", description: "file that train-binary --save or saveNetwork wrote" },
    { name: "packed", description: "file to write (safetensors)" },
  ],
  async run({ arguments: args, print }) {
    const trained = await loadFile(String(args["network"]), (bytes) => loadNetwork(bytes));
    const packed = packNetwork(trained, { metadata: trained.metadata });
    const bytes = savePacked(packed);
    await saveFile(String(args["packed"]), bytes);
    for (const { name, weights } of packed.layers)
      print(`${name}  [${weights.shape}]  ${weights.words.byteLength} bytes`);
    print(`${packed.byteLength} bytes of binary weights, ${bytes.length} in all`);
  },
};
