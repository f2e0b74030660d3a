import type { CommandInput } from "@offprint/claims";
import { type Column, Table, writeCsv } from "@offprint/data";
import { loadFile, saveFile } from "@offprint/data/node";
import { tensor, ValueError } from "@offprint/tensor-core";
import { loadModel, predict as outputsOf } from "../src/index.js";
import { openTable, type TableRequest } from "./table-source.js";

/** `offprint convex-relu predict MODEL DATA` */
export async function predict(
  modelPath: string,
  path: string,
  request: TableRequest,
  { options, print }: CommandInput,
): Promise<void> {
  const model = await loadFile(modelPath, loadModel);
  const target = model.target ?? request.target;
  // An npz file names its features by number, as the model does that was trained on one.
  const features = request.features ?? model.features;
  const file = await openTable(path, { ...request, target, ...(features && { features }) });
  const width = model.net.U.shape[0] - (model.net.bias ? 1 : 0);
  if (file.features.length !== width) {
    throw new ValueError(
      `${path}: ${file.features.length} features, the model takes ${width}; choose them with --features`,
    );
  }
  const scores = Float64Array.from(outputsOf(model.net, tensor(file.values, { shape: [file.rows, width] })).data());
  const columns: Column[] = [{ name: "prediction", type: "number", values: scores }];
  const { classes, loss } = model;
  if (classes !== undefined) {
    const named = Array.from(scores, (score) => classes[score >= 0 ? 1 : 0]);
    columns.unshift({ name: target, type: "text", values: named });
    columns[1] = { name: "score", type: "number", values: scores };
    if (loss === "bce") {
      const values = scores.map((score) => 1 / (1 + Math.exp(-2 * score)));
      columns.push({ name: `probability of ${classes[1]}`, type: "number", values });
    }
    if (file.target !== undefined) {
      const right = named.filter((name, k) => name === String(file.target?.[k])).length;
      print(`${right} of ${file.rows} right (${((100 * right) / file.rows).toFixed(2)} %)`);
    }
  } else if (file.target?.every((value) => typeof value === "number")) {
    const squares = scores.reduce((sum, score, k) => sum + (score - Number(file.target?.[k])) ** 2, 0);
    print(`root mean square error ${Math.sqrt(squares / file.rows).toPrecision(5)}`);
  }
  const text = writeCsv(new Table(columns));
  const output = options.output as string | undefined;
  if (output) await saveFile(output, text);
  else for (const line of text.trimEnd().split("\n")) print(line);
}
