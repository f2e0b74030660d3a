import { defineCommand, option } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { loadNetwork, packNetwork, savePacked } from "../src/index.js";

/** `offprint pack-binary --model network.safetensors --output packed.safetensors` */
export const packBinary = defineCommand({
  name: "pack-binary",
  summary: "Pack a trained binary network into a file of one bit per weight",
  options: {
    model: option.fileIn("file that train-binary --output or saveNetwork wrote", { required: true, short: "m" }),
    output: option.fileOut("file for the packed network (safetensors)", { short: "o", required: true }),
  },
  async run({ options, report, write }) {
    const trained = await loadFile(options.model, (bytes) => loadNetwork(bytes));
    const packed = packNetwork(trained, { metadata: trained.metadata });
    const bytes = savePacked(packed);
    report([
      ...packed.layers.map(
        ({ name, weights }) => [name, `[${weights.shape}]  ${weights.words.byteLength} bytes`] as const,
      ),
      ["binary weights", `${packed.byteLength} bytes, ${bytes.length} in all`],
    ]);
    await write(options.output, bytes);
  },
});
