import { defineCommand, option } from "@offprint/commands";
import { type Column, Table, writeCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { softmax } from "@offprint/tensor-core";
import { loadPacked } from "../src/index.js";
import { imageOption } from "./image-option.js";
import { openImages } from "./images.js";
import { scaled, scaleFrom } from "./normalization.js";

/** `offprint classify-binary --model packed.safetensors --images FOLDER --output classes.csv` */
export const classifyBinary = defineCommand({
  name: "classify-binary",
  summary: "Classify images with a packed binary network",
  options: {
    model: option.fileIn("file that train-binary --packed, pack-binary or savePacked wrote", {
      required: true,
      short: "m",
    }),
    ...imageOption,
    output: option.fileOut("file for a line per image (CSV); default: the first 20 are printed", { short: "o" }),
  },
  async run({ options, print, report, write }) {
    const model = await loadFile(options.model, loadPacked);
    const scale = scaleFrom(model.metadata);
    const channels = scale?.mean.length;
    const set = await openImages(options.images, channels === 1 || channels === 3 ? channels : undefined);
    const logits = model.run(scale === null ? set.inputs : scaled(set.inputs, scale));
    const [count, classes] = logits.shape;
    const found = logits.argMax({ axis: -1 }).data();
    const names = model.metadata["classes"]?.split("\n") ?? Array.from({ length: classes! }, (_, k) => String(k));
    const rows: [string, string][] = [["images", String(count)]];
    if (set.targets !== undefined) {
      const targets = set.targets.data();
      const right = found.filter((c, i) => c === targets[i]).length;
      rows.push(["right", `${((100 * right) / count!).toFixed(2)} %`]);
    }
    report(rows);
    const probabilities = softmax(logits).data();
    const columns: Column[] = [
      { name: "image", type: "text", values: Array.from(found, (_, i) => set.names?.[i] ?? String(i)) },
      { name: "class", type: "text", values: Array.from(found, (c) => names[c]!) },
      ...names.map((name, k) => ({
        name: `probability ${name}`,
        type: "number" as const,
        values: Float64Array.from(found, (_, i) => Number(probabilities[i * classes! + k]!.toPrecision(6))),
      })),
    ];
    if (options.output === undefined) {
      const [images, classOf] = columns;
      for (let i = 0; i < Math.min(20, count!); i++) print(`${images!.values[i]}: ${classOf!.values[i]}`);
    }
    await write(options.output, writeCsv(new Table(columns)));
  },
});
