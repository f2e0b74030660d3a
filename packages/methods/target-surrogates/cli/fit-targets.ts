import {
  classesOf,
  defineCommand,
  deviceOptions,
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
import { type Standardization, standardization } from "@offprint/data";
import type { Tensor } from "@offprint/tensor-core";
import { losses, type SsoRecord, type SsoState, sso, type TargetLoss } from "../src/index.js";
import { modelOf, outputsOf, seenBy, type TableDescription, type TableModel, writeTableModel } from "./table-model.js";

/** `offprint fit-targets --table data.csv --target y --output model.safetensors` */
export const fitTargets = defineCommand({
  name: "fit-targets",
  summary: "Learn to predict a column of a table by surrogates in target space: few passes, many cheap steps",
  options: {
    ...tableOptions,
    task: option.choice(["classification", "regression"], "what the target is; default: texts are classes"),
    hidden: option.list(option.integer("widths of hidden layers, as in 64,64, or none", { least: 1 }), {
      default: [],
      none: "none",
    }),
    eta: option.number("step size in target space; default 1/L of the loss", { above: 0 }),
    schedule: option.choice(["constant", "sqrt", "exponential"], "how eta falls", { default: "exponential" }),
    metric: option.choice(["euclidean", "armijo", "adagrad", "adagrad-diag", "newton"], "distances between outputs", {
      default: "euclidean",
    }),
    batchSize: option.integer("samples of a step; 0 for all", { default: 64, least: 0 }),
    epochs: option.number("passes over the data", { default: 20, above: 0 }),
    innerSteps: option.integer("steps on each surrogate", { default: 20, least: 1 }),
    ...holdoutOption,
    ...seedOption,
    output: option.fileOut("file for the model (safetensors)", { short: "o" }),
    ...stateOptions,
    ...deviceOptions,
  },
  async run({ options, print, report, note, write, longRun, backend: opened }) {
    const { seed } = options;
    const whole = await readTable(options.table, options);
    const { description: plain, table } = described(whole, taskOf(whole, options.task), options.hidden);
    const { train, test } = holdOut(table, options.holdout, seed);
    const units = plain.task === "regression" ? standardization(train.target) : undefined;
    const description = units === undefined ? plain : { ...plain, units: listed(units) };
    const rows = train.inputs.shape[0]!;
    const kind = description.task === "regression" ? "numbers" : `${description.classes.length} classes`;
    print(`${rows} samples to learn from, ${table.features.length} features; ${table.targetName}: ${kind}`);
    const { mean, std } = standardization(train.inputs);
    const model = modelOf(description, seed);
    const loss = lossOf(description, units?.apply(train.target) ?? train.target);
    const batch = options.batchSize === 0 ? rows : Math.min(options.batchSize, rows);
    const steps = Math.max(1, Math.round(options.epochs * Math.max(1, Math.floor(rows / batch))));
    const run = await longRun<SsoRecord, SsoState>({
      progress: ({ step, loss: now }) => ({
        fraction: step / steps,
        label: `step ${step}, loss ${now.toPrecision(4)}`,
      }),
    });
    const backend = description.hidden.length > 0 ? await opened() : undefined;
    const inputs = { x: seenBy(description, train.inputs.sub(mean).div(std)) };
    const result = await sso(model, inputs, loss.oracle, {
      eta: options.eta ?? "theory",
      smoothness: loss.smoothness,
      schedule: options.schedule,
      metric: options.metric,
      ...(batch < rows && { batch, seed }),
      steps,
      inner: { steps: options.innerSteps },
      ...run.options,
      ...(backend && { backend }),
    });
    await run.settle(result);
    const { params, history } = result;
    const [first, last] = [history[0], history.at(-1)];
    if (first && last) {
      print(
        `${last.gradCalls} steps; loss of a batch${units === undefined ? "" : " of the standardised target"} ${first.loss.toPrecision(4)} -> ${last.loss.toPrecision(4)}; ${last.forwardCalls} evaluations of the model`,
      );
    }
    const fitted: TableModel = { description, params, mean, std };
    if (test !== undefined) report([judged(fitted, test)]);
    if (options.output === undefined) note("--output <file> keeps the model.");
    await write(options.output, writeTableModel(fitted));
  },
});

const listed = ({ mean, std }: Standardization) => ({ mean: [...mean.data()], std: [...std.data()] });

/** A table whose target is in numbers: those of the classes, or its own. */
type NumericTable = SampleTable & { readonly target: Tensor };

function described(
  whole: SampleTable,
  task: TableDescription["task"],
  hidden: readonly number[],
): { readonly description: TableDescription; readonly table: NumericTable } {
  const named = { inputs: whole.features, target: whole.targetName, task, hidden };
  if (task === "regression") {
    const target = numbersOf(whole);
    return { description: { ...named, classes: [], outputs: target.shape[1]! }, table: { ...whole, target } };
  }
  const { names: classes, codes } = classesOf(whole);
  const outputs = classes.length === 2 ? 1 : classes.length;
  return { description: { ...named, classes, outputs }, table: { ...whole, target: codes.cast("float64") } };
}

function lossOf({ task, outputs }: TableDescription, y: Tensor): TargetLoss {
  if (task === "regression") return losses.squared(y);
  return outputs === 1 ? losses.logistic(y) : losses.softmax(y);
}

function judged(model: TableModel, { inputs, target }: NumericTable): [string, string] {
  const z = outputsOf(model, inputs);
  const rows = inputs.shape[0]!;
  if (model.description.task === "regression") {
    const error = z.sub(target).square().mean().item();
    return [`mean squared error on ${rows} held-out samples`, error.toPrecision(4)];
  }
  const codes = target.data();
  const right = predictedClasses(z).reduce((count, k, i) => count + (k === codes[i] ? 1 : 0), 0);
  return [`accuracy on ${rows} held-out samples`, (right / rows).toFixed(4)];
}

/** The class of each row: that of the largest output, or whether the only one is positive. */
export function predictedClasses(z: Tensor): number[] {
  const classes = z.shape[1]!;
  const found = classes === 1 ? z.reshape([-1]).greater(0) : z.argMax({ axis: 1 });
  return Array.from(found.data(), Number);
}
