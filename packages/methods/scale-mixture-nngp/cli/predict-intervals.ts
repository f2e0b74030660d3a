import {
  type CommandInput,
  classesOf,
  defineCommand,
  Failure,
  holdOut,
  holdoutOption,
  numbersOf,
  type Options,
  option,
  readTable,
  type SampleTable,
  seedOption,
  stateOptions,
  tableOptions,
  taskOf,
  writePredictions,
} from "@offprint/commands";
import { Table, writeCsv } from "@offprint/data";
import { type Kernel, nngp } from "@offprint/gaussian-process";
import type { MinimizerRecord, MinimizerState } from "@offprint/solvers";
import { ShapeError, squeeze, type Tensor } from "@offprint/tensor-core";
import {
  type ClassifierOptions,
  type ClassifierRecord,
  fitByEvidence,
  fitClassifier,
  type Prediction,
} from "../src/index.js";
import { calibrationPlot, coverage, intervalPlot } from "./interval-plots.js";

const options = {
  ...tableOptions,
  task: option.choice(["classification", "regression"], "what the target is; default: texts are classes"),
  predict: option.fileIn("rows to predict for: a table with the same features; default the held-out rows"),
  depth: option.integer("hidden layers of the infinitely wide network", { default: 3, least: 1 }),
  activation: option.choice(["relu", "erf"], "of its layers", { default: "relu" }),
  scale: option.choice(["random", "known"], "of the outputs: random has heavy tails, known is a Gaussian process", {
    default: "random",
  }),
  level: option.number("share of values that an interval should hold", { default: 0.9, above: 0, below: 1 }),
  maxIterations: option.integer("most steps of the fit", { default: 100, least: 0, free: true }),
  inducing: option.integer("inducing points, for classes; default 200 or all", { least: 1 }),
  steps: option.integer("updates, for classes", { default: 1000, least: 0, free: true }),
  ...holdoutOption,
  ...seedOption,
  output: option.fileOut("file for the predictions (CSV)", { short: "o", endings: [".csv"] }),
  plot: option.fileOut("file for a plot of the intervals (SVG)", { endings: [".svg"] }),
  calibration: option.fileOut("file for a plot of how many held-out values the intervals hold (SVG)", {
    endings: [".svg"],
  }),
  ...stateOptions,
};

type Input = CommandInput<Options, typeof options>;

/** Of standardised targets: a fit below it, a thousandth of their deviation, follows them. The search ends at 1e-11 to 1e-7 on exact lines. */
const LEAST_NOISE = 1e-6;

/** `offprint predict-intervals --table data.csv --target y --plot intervals.svg --output predictions.csv` */
export const predictIntervals = defineCommand({
  name: "predict-intervals",
  summary: "Predict a column of a table with calibrated intervals, or its classes",
  options,
  async run(input) {
    const { options: given, print } = input;
    const table = await readTable(given.table, given);
    const task = taskOf(table, given.task);
    print(`${table.inputs.shape[0]} rows, ${table.features.length} features; ${table.targetName}: ${task}`);
    const kernel = nngp({
      ...{ kind: "fullyConnected", depth: given.depth, activation: given.activation, readoutVariance: 1 },
    });
    await (task === "regression" ? predictNumbers : predictClasses)(input, table, kernel);
  },
});

/** The rows of the table to predict for, or those that are held out. */
async function rowsToPredict({ options: given }: Input, table: SampleTable, test?: SampleTable): Promise<Tensor> {
  if (given.predict !== undefined) {
    return (await readTable(given.predict, { target: null, features: table.features })).inputs;
  }
  if (test !== undefined) return test.inputs;
  throw new Failure("there are no rows to predict for: name a table with --predict, or hold some out");
}

async function predictNumbers(input: Input, table: SampleTable, kernel: Kernel): Promise<void> {
  const { options: given, report, note, write, refuse, longRun } = input;
  refuse(["inducing", "steps"], `they are for classes and ${table.targetName} holds numbers`);
  const { train, test } = holdOut(table, given.holdout, given.seed);
  const inputs = await rowsToPredict(input, table, test);
  const target = columnOf(train);
  const [first] = target.data();
  if (target.data().every((value: number) => value === first)) {
    throw new Failure(
      `${table.path}: ${table.targetName} is ${first} in all rows to learn from; there is nothing to predict`,
    );
  }
  const run = await longRun<MinimizerRecord, MinimizerState>({
    progress: ({ iteration, objective }) => ({
      fraction: iteration / Math.max(1, given.maxIterations),
      label: `step ${iteration}, negative log evidence ${objective.toPrecision(5)}`,
    }),
  });
  const fitted = await fitByEvidence(kernel, train.inputs, target, {
    ...(given.scale === "known" ? { prior: { kind: "point" } } : {}),
    ...{ standardize: true, maxIterations: given.maxIterations, ...run.options },
  });
  await run.settle(fitted);
  const { process, logEvidence } = fitted;
  if (fitted.noise < LEAST_NOISE) {
    note(
      `The fit found no noise (${fitted.noise.toPrecision(2)}): with rows so few or so regular, do not trust the intervals.`,
    );
  }
  report([
    ["log evidence", logEvidence.toPrecision(5)],
    ["degrees of freedom", (process.predict(inputs).degreesOfFreedom ?? Number.NaN).toPrecision(4)],
  ]);
  const judged = test === undefined ? undefined : { predicted: process.predict(test.inputs), known: columnOf(test) };
  if (judged !== undefined) {
    const { predicted, known } = judged;
    report([
      ["held-out rows", known.size],
      ["mean log density of held-out values", predicted.logDensity(known).mean().item().toPrecision(4)],
      [
        `held-out values inside the ${100 * given.level} % intervals`,
        coverage(predicted, known, given.level).toFixed(3),
      ],
    ]);
    await write(given.calibration, calibrationPlot(table.targetName, predicted, known));
  } else if (given.calibration !== undefined) {
    throw new Failure("--calibration needs held-out rows: give --holdout");
  }
  const predicted = process.predict(inputs);
  const known = given.predict === undefined ? judged?.known : undefined;
  await write(given.plot, intervalPlot(table.targetName, predicted, given.level, known));
  await write(given.output, writeCsv(intervalTable(table.targetName, predicted, given.level, known)));
  if (given.output === undefined) note("--output <file> keeps the predictions, --plot <file> draws them.");
}

function columnOf(table: SampleTable): Tensor {
  const numbers = numbersOf(table);
  if (numbers.shape[1] === 1) return squeeze(numbers, 1);
  throw new ShapeError(`${table.path}: ${table.targetName} has ${numbers.shape[1]} columns; intervals are for one`);
}

function intervalTable(target: string, predicted: Prediction, level: number, known: Tensor | undefined): Table {
  const { low, high } = predicted.interval(level);
  const column = (name: string, values: Tensor) => ({
    name,
    type: "number" as const,
    values: Float64Array.from(values.data()),
  });
  return new Table([
    column(target, predicted.mean),
    column("low", low),
    column("high", high),
    ...(known === undefined ? [] : [column("actual", known)]),
  ]);
}

async function predictClasses(input: Input, table: SampleTable, kernel: Kernel): Promise<void> {
  const { options: given, report, note, refuse, longRun } = input;
  refuse(
    ["level", "maxIterations", "plot", "calibration"],
    `they are for numbers and ${table.targetName} holds classes`,
  );
  const { names, codes } = classesOf(table);
  const { train, test } = holdOut({ ...table, target: codes }, given.holdout, given.seed);
  const learnt = new Set(train.target.data());
  const unseen = names.find((_, code) => !learnt.has(code));
  if (unseen !== undefined) {
    throw new Failure(
      `${table.path}: all rows of the class ${unseen} are held out; leave out the class, or give another --seed or --holdout`,
    );
  }
  const inputs = await rowsToPredict(input, table, test);
  type State = NonNullable<ClassifierOptions["resume"]>;
  const run = await longRun<ClassifierRecord, State>({
    progress: ({ step, loss }) => ({
      fraction: step / Math.max(1, given.steps),
      label: `step ${step}, loss ${loss.toPrecision(4)}`,
    }),
  });
  const fitted = await fitClassifier(kernel, train.inputs, train.target, {
    standardize: true,
    ...(given.scale === "known" ? { prior: { kind: "point" } } : {}),
    ...(given.inducing === undefined ? {} : { inducing: given.inducing }),
    ...{ steps: given.steps, samples: 32, seed: given.seed, ...run.options },
  });
  await run.settle(fitted);
  const probabilitiesOf = (inputs: Tensor) => fitted.model.probabilities(inputs, { seed: given.seed });
  if (test !== undefined) {
    const probabilities = probabilitiesOf(test.inputs);
    const [p, chosen, known] = [probabilities.data(), probabilities.argMax(1).data(), Array.from(test.target.data())];
    const log = known.reduce((sofar: number, code, i) => sofar + Math.log(p[i * fitted.model.classes + code]), 0);
    const right = known.filter((code, i) => chosen[i] === code).length;
    report([
      ["held-out rows", known.length],
      ["accuracy", (right / known.length).toFixed(4)],
      ["mean log probability of the held-out classes", (log / known.length).toPrecision(4)],
    ]);
  }
  const probabilities = probabilitiesOf(inputs);
  const predicted = Array.from(probabilities.argMax(1).data(), (code) => names[code]);
  if (given.output === undefined) return note("--output <file> keeps the predictions.");
  await writePredictions(input, given.output, { target: table.targetName, predicted, classes: names, probabilities });
}
