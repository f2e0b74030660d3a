import { defineCommand, Failure, option, readTable, tableOptions, writePredictions } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { predictClasses, predictNumbers, predictProbabilities } from "../src/index.js";
import { readTableModel } from "./model-and-columns.js";

/** `offprint predict-boosted --model model.safetensors --table data.csv --output predictions.csv` */
export const predictBoosted = defineCommand({
  name: "predict-boosted",
  summary: "Predict with a network that boost-network made",
  options: {
    model: option.fileIn("file that boost-network wrote", { required: true, short: "m" }),
    table: tableOptions.table,
    blocks: option.integer("use the first blocks only; default all", { least: 0 }),
    output: option.fileOut("file for the predictions (CSV); default: printed", { short: "o" }),
  },
  async run({ options, print }) {
    const { model, inputs: features, target } = await loadFile(options.model, readTableModel);
    if (options.blocks !== undefined && options.blocks > model.blocks.length) {
      throw new Failure(`--blocks is ${options.blocks}; ${options.model} has ${model.blocks.length} blocks`);
    }
    const { inputs } = await readTable(options.table, { target: null, features });
    const kept = options.blocks === undefined ? {} : { keepBlocks: options.blocks };
    const found =
      model.task === "regression"
        ? { target, values: predictNumbers(model, inputs, kept) }
        : {
            target,
            predicted: predictClasses(model, inputs, kept).map(String),
            classes: (model.classes ?? []).map(String),
            probabilities: predictProbabilities(model, inputs, kept),
          };
    await writePredictions({ print }, options.output, found);
  },
});
