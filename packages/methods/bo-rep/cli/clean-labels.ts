import { type BilevelRecord, type BilevelState, dataCleaning } from "@offprint/bilevel";
import {
  classesOf,
  defineCommand,
  option,
  readTable,
  type SampleTable,
  seedOption,
  stateOptions,
  tableOptions,
} from "@offprint/commands";
import { standardization, Table, writeCsv } from "@offprint/data";
import type { LinearParams } from "@offprint/nn";
import { isTensor, ShapeError, type Tensor, take, tensor, ValueError } from "@offprint/tensor-core";
import type { BoRepKept } from "../src/index.js";
import { boRep } from "../src/index.js";

/** `offprint clean-labels --table data.csv --target y --clean trusted.csv --output weights.csv` */
export const cleanLabels = defineCommand({
  name: "clean-labels",
  summary: "Find wrong labels in a table, by weights for its rows",
  options: {
    ...tableOptions,
    clean: option.fileIn("rows whose labels are right: a table with the same columns", { required: true }),
    maxIterations: option.integer("steps of the weights", { default: 1000, least: 1, free: true }),
    stepLength: option.number("how far all weights move together in a step, before the sigmoid", {
      default: 0.1,
      above: 0,
    }),
    lowerStepSize: option.number("step of the model", { default: 0.5, above: 0 }),
    weightDecay: option.number("penalty on the model's parameters", { default: 0.01, least: 0 }),
    batchSize: option.integer("rows in a batch", { default: 64, least: 1 }),
    ...seedOption,
    output: option.fileOut("file for the weights (CSV)", { short: "o", endings: [".csv"] }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, longRun }) {
    const table = await readTable(options.table, options);
    const clean = await readTable(options.clean, { ...options, features: table.features, target: table.targetName });
    const { names, codes } = classesOf({ ...table, target: joined(table, clean) });
    checkClasses(table, clean, note);
    const rows = table.inputs.shape[0];
    const scale = standardization(table.inputs);
    const at = (from: number, count: number) =>
      take(
        codes,
        Int32Array.from({ length: count }, (_, i) => from + i),
      );
    const problem = dataCleaning(
      {
        train: { inputs: scale.apply(table.inputs), targets: at(0, rows) },
        validation: { inputs: scale.apply(clean.inputs), targets: at(rows, clean.inputs.shape[0]) },
      },
      { weightDecay: options.weightDecay, batchSize: options.batchSize, classes: names.length },
    );
    print(
      `${rows} rows, ${table.features.length} features, ${names.length} classes; ${clean.inputs.shape[0]} rows to trust`,
    );
    const lossOf = (y: LinearParams) => problem.upper(problem.initial.x, y, problem.full?.upper as Tensor).item();
    const { maxIterations } = options;
    const run = await longRun<BilevelRecord, BilevelState<BoRepKept>>({
      progress: ({ iteration }) => ({
        fraction: iteration / maxIterations,
        label: `step ${iteration} of ${maxIterations}`,
      }),
    });
    const settings = {
      ...{ stepLength: options.stepLength, lowerStepSize: options.lowerStepSize, seed: options.seed },
      ...{ linearStepSize: options.lowerStepSize, refinement: { method: "sgd", steps: 100 } as const },
    };
    const result = await boRep(problem, { ...settings, maxIterations, ...run.options });
    await run.settle(result);
    // The same steps of the model alone: what it is with all weights equal.
    const equal = await boRep(problem, { ...settings, stepLength: Number.MIN_VALUE, maxIterations });
    const weights = Float64Array.from(result.x.data(), (x) => 1 / (1 + Math.exp(-x)));
    const suspects = weights.filter((weight) => weight < 0.5).length;
    report([
      ["rows with a weight below one half", suspects],
      ["loss of the trusted rows, all weights equal", lossOf(equal.y).toPrecision(4)],
      ["loss of the trusted rows, with the weights", lossOf(result.y).toPrecision(4)],
    ]);
    const found = new Table([
      { name: "row", type: "number", values: Float64Array.from({ length: rows }, (_, i) => i + 1) },
      { name: table.targetName, type: "text", values: [...codes.data().slice(0, rows)].map((code) => names[code]) },
      { name: "weight", type: "number", values: weights },
    ]);
    if (options.output === undefined) note("--output <file> keeps the weights of all rows.");
    await write(options.output, writeCsv(found));
  },
});

/**
 * Labels to trust must be among those of the table: another one is a class spelt differently, and makes all rows of its class
 * look wrong. So, to a lesser degree, does a class of which there is no row to trust.
 */
function checkClasses(table: SampleTable, clean: SampleTable, note: (text: string) => void): void {
  const labels = ({ target }: SampleTable) => new Set<number | string>(isTensor(target) ? target.data() : target);
  const [all, trusted] = [labels(table), labels(clean)];
  const strange = [...trusted].filter((label) => !all.has(label));
  if (strange.length > 0) {
    throw new ValueError(
      `${clean.path}: ${clean.targetName} has ${strange.slice(0, 5).join(", ")}, which ${table.path} has not; its labels are ` +
        `${[...all].slice(0, 10).join(", ")}: spell them alike, and leave out rows of other classes`,
    );
  }
  const missing = [...all].filter((label) => !trusted.has(label));
  if (missing.length === 0) return;
  note(
    `${clean.path} has no row with ${missing.slice(0, 5).join(", ")}: such rows of ${table.path} are taken for wrong; give rows of every class to trust.`,
  );
}

/** The labels of both tables, one after the other. */
function joined(table: SampleTable, clean: SampleTable): SampleTable["target"] {
  if (isTensor(table.target) !== isTensor(clean.target)) {
    throw new ValueError(
      `${clean.path}: ${clean.targetName} and that of ${table.path} must both be numbers or both texts`,
    );
  }
  if (!isTensor(table.target)) return [...table.target, ...(clean.target as readonly string[])];
  const target = clean.target as Tensor;
  if (table.target.rank !== 1 || target.rank !== 1) {
    throw new ShapeError(`${table.path}: labels must be one for each row`);
  }
  return tensor([...table.target.data(), ...target.data()], { dtype: "float64" });
}
