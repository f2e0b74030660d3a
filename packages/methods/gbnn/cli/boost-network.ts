import {
  defineCommand,
  Failure,
  holdOut,
  holdoutOption,
  numbersOf,
  option,
  readTable,
  type SampleTable,
  seedOption,
  stateOptions,
  tableOptions,
  taskOf,
} from "@offprint/commands";
import type { RunState } from "@offprint/solvers";
import { isTensor, ShapeError } from "@offprint/tensor-core";
import { fitClassifier, fitRegressor, type GbnnRecord, type GbnnState, stagedScore } from "../src/index.js";
import { writeTableModel } from "./model-and-columns.js";

/** `offprint boost-network --table data.csv --target y --output model.safetensors` */
export const boostNetwork = defineCommand({
  name: "boost-network",
  summary: "Learn to predict a column of a table: a network grown by gradient boosting",
  options: {
    ...tableOptions,
    task: option.choice(["classification", "regression"], "what the target is; default: texts are classes"),
    units: option.integer("hidden units in all", { default: 200, least: 1, free: true }),
    blockSize: option.integer("hidden units of a block", { default: 3, least: 1 }),
    learningRate: option.number("factor of every step", { default: 0.1, least: 0 }),
    subsample: option.number("fraction of the samples per block", { default: 0.5, above: 0, most: 1 }),
    ...holdoutOption,
    ...seedOption,
    output: option.fileOut("file for the model (safetensors)", { short: "o" }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, longRun }) {
    const table = await readTable(options.table, options);
    const task = taskOf(table, options.task);
    if (task === "classification" && isTensor(table.target) && table.target.rank !== 1) {
      throw new ShapeError(`${table.path}: classes must be one for each row, the target has [${table.target.shape}]`);
    }
    const { train, test } = holdOut(table, options.holdout, options.seed);
    if (test !== undefined && task === "classification") requireClasses(labelsOf(train), labelsOf(test));
    print(`${table.inputs.shape[0]} samples, ${table.features.length} features; ${table.targetName}: ${task}`);
    const blocks = Math.floor(options.units / options.blockSize);
    if (blocks === 0) {
      throw new Failure(`--units ${options.units} are less than one block; give more, or a smaller --block-size`);
    }
    const run = await longRun<GbnnRecord, RunState<GbnnState, GbnnRecord>>({
      progress: ({ block, objective }) => ({
        fraction: block / blocks,
        label: `block ${block} of ${blocks}, loss ${objective.toPrecision(4)}`,
      }),
    });
    const settings = {
      totalUnits: options.units,
      unitsPerStep: options.blockSize,
      learningRate: options.learningRate,
      subsample: options.subsample,
      seed: options.seed,
      ...run.options,
    };
    const result =
      task === "classification"
        ? await fitClassifier(train.inputs, train.target, settings)
        : await fitRegressor(train.inputs, numbersOf(train), settings);
    await run.settle(result);
    const { model, initialObjective, objective } = result;
    print(`${model.blocks.length} blocks; loss ${initialObjective.toPrecision(4)} -> ${objective.toPrecision(4)}`);
    if (test !== undefined) {
      const scores = stagedScore(model, test.inputs, test.target);
      const name = task === "classification" ? "accuracy" : "R^2";
      const parts = new Set([0.1, 0.25, 0.5, 1].map((share) => Math.round(share * model.blocks.length)));
      report(
        Array.from(parts, (kept) => {
          const units = String(kept * model.units).padStart(4);
          return [`${name} on ${test.inputs.shape[0]} held-out samples with ${units} units`, scores[kept]!.toFixed(4)];
        }),
      );
    }
    if (options.output === undefined) note("--output <file> keeps the model.");
    await write(options.output, writeTableModel({ model, inputs: table.features, target: table.targetName }));
  },
});

const labelsOf = ({ target }: SampleTable): readonly (number | string)[] =>
  isTensor(target) ? Array.from(target.data() as ArrayLike<number>) : target;

/** @throws Failure where rows are held out of a class that none is left of to learn from */
function requireClasses(learnt: readonly (number | string)[], heldOut: readonly (number | string)[]): void {
  const known = new Set(learnt);
  const missing = heldOut.find((label) => !known.has(label));
  if (missing === undefined) return;
  throw new Failure(
    `--holdout leaves no row of class ${missing} to learn from; give more rows of it, a smaller --holdout or another --seed`,
  );
}
