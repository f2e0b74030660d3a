import type { MethodCommand } from "@offprint/claims";
import { loadFile, saveFile } from "@offprint/data/node";
import { softmax } from "@offprint/tensor-core";
import { loadPacked } from "../src/index.js";
import { openImages } from "./images.js";
import { scaled, scaleFrom } from "./normalization.js";

/** `offprint classify-binary PACKED IMAGES` */
export const classifyBinary: MethodCommand = {
  name: "classify-binary",
  summary: "Classify images with a packed binary network",
  arguments: [
    { name: "packed", description: "file that train-binary --pack, pack-binary or savePacked wrote" },
    {
      name: "images",
      description: ".npz with inputs [n, c, h, w], .npy, a PNG or PNM image, a folder of them, CIFAR-10 batches",
    },
  ],
  options: [{ name: "output", description: "file for a line per image (CSV)", type: "string" }],
  async run({ arguments: args, options, print }) {
    const model = await loadFile(String(args["packed"]), loadPacked);
    const scale = scaleFrom(model.metadata);
    const channels = scale?.mean.length;
    const set = await openImages(String(args["images"]), channels === 1 || channels === 3 ? channels : undefined);
    const inputs = scale === null ? set.inputs : scaled(set.inputs, scale);
    const start = performance.now();
    const logits = model.run(inputs);
    const seconds = (performance.now() - start) / 1000;
    const [count, classes] = logits.shape;
    const found = logits.argMax({ axis: -1 }).data();
    const names = model.metadata["classes"]?.split("\n") ?? Array.from({ length: classes }, (_, k) => String(k));
    print(`${count} images in ${seconds.toFixed(3)} s`);
    if (set.targets !== undefined) {
      const right = found.filter((c, i) => c === set.targets!.data()[i]).length;
      print(`${((100 * right) / count).toFixed(2)} % right`);
    }
    const rows = softmax(logits).toArray() as number[][];
    const lines = rows.map((row, i) =>
      [set.names?.[i] ?? String(i), names[found[i]], ...row.map((p) => p.toPrecision(6))].join(","),
    );
    const table = [["image", "class", ...names.map((name) => `probability ${name}`)].join(","), ...lines];
    if (options["output"] !== undefined) await saveFile(String(options["output"]), `${table.join("\n")}\n`);
    else for (const line of lines.slice(0, 20)) print(line.split(",").slice(0, 2).join(": "));
  },
};
