import type { CommandInput, MethodCommand } from "@offprint/claims";
import { readSamples, type SampleFile, standardization, trainTestSplit } from "@offprint/data";
import { loadFile, saveFile } from "@offprint/data/node";
import { AbortedError, isTensor, random, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { losses, type Metric, type RateSchedule, type SsoOptions, sso, type TargetLoss } from "../src/index.js";
import { modelOf, outputsOf, seenBy, type TableDescription, type TableModel, writeTableModel } from "./table-model.js";

/** `offprint fit-targets data.csv --output model.safetensors` */
export const fitTargets: MethodCommand = {
  name: "fit-targets",
  summary:
    "Learn to predict a column of a table (CSV, NPZ) by surrogates in target space: few passes, many cheap steps",
  arguments: [{ name: "data", description: "CSV with a header, or NPZ with arrays x [samples, features] and y" }],
  options: [
    { name: "target", description: "column to predict (default the last), or array of an NPZ file", type: "string" },
    { name: "classes", description: "take the target's numbers as classes; texts always are", type: "boolean" },
    {
      name: "hidden",
      description: "widths of hidden layers, as in 64,64; none for a linear model",
      type: "string",
      default: "none",
    },
    { name: "eta", description: "step size in target space; default 1/L of the loss", type: "number" },
    { name: "schedule", description: "constant, sqrt or exponential", type: "string", default: "exponential" },
    {
      name: "metric",
      description: "euclidean, armijo, adagrad, adagrad-diag or newton",
      type: "string",
      default: "euclidean",
    },
    { name: "batch", description: "samples of a step; 0 for all", type: "number", default: 64 },
    { name: "passes", description: "passes over the data", type: "number", default: 20 },
    { name: "inner-steps", description: "steps on each surrogate", type: "number", default: 20 },
    { name: "test", description: "fraction held out to judge by; 0 for none", type: "number", default: 0.2 },
    { name: "seed", description: "source of all randomness", type: "number", default: 0 },
    { name: "output", description: "file for the model (safetensors)", type: "string" },
  ],
  async run(input) {
    const { options, print, signal } = input;
    const target = options.target as string | undefined;
    const file = await loadFile(String(input.arguments.data), (bytes) =>
      readSamples(bytes, target === undefined ? {} : { target }),
    );
    const seed = Number(options.seed);
    const { description, y } = described(file, options);
    const whole = { inputs: file.inputs, targets: y };
    const held = Number(options.test);
    if (!(held >= 0 && held < 1)) throw new ValueError(`--test is ${held}; it must be in [0, 1)`);
    const { train, test } =
      held === 0
        ? { train: whole, test: undefined }
        : trainTestSplit(whole, { test: held, rng: random.rng(`${seed}/held out`) });
    const rows = train.inputs.shape[0];
    const kind = description.task === "regression" ? "numbers" : `${description.classes.length} classes`;
    print(`${rows} samples to learn from, ${file.inputNames.length} features; ${description.target}: ${kind}`);
    const { mean, std } = standardization(train.inputs);
    const model = modelOf(description, seed);
    const loss = lossOf(description, train.targets);
    const settings = settingsOf(options, rows, loss.smoothness);
    const backend = description.hidden.length > 0 ? await input.backend() : undefined;
    const { params, history, status } = await sso(
      model,
      { x: seenBy(description, train.inputs.sub(mean).div(std)) },
      loss.oracle,
      {
        ...settings,
        seed,
        signal,
        ...(backend && { backend }),
        async onProgress({ step, loss: now }) {
          input.onProgress((step + 1) / settings.steps, `step ${step + 1}, loss ${now.toPrecision(4)}`);
          await new Promise((resume) => setImmediate(resume)); // lets Ctrl-C through
        },
      },
    );
    if (status === "aborted") throw new AbortedError("fit-targets: interrupted; no model is written");
    const last = history[history.length - 1];
    print(
      `${last.gradCalls} steps; loss of a batch ${history[0].loss.toPrecision(4)} -> ${last.loss.toPrecision(4)}; ${last.forwardCalls} evaluations of the model`,
    );
    const fitted: TableModel = { description, params, mean, std };
    if (test !== undefined) print(await judged(fitted, test.inputs, test.targets));
    const output = options.output as string | undefined;
    if (output === undefined) return print("--output <file> writes the model.");
    await saveFile(output, writeTableModel(fitted));
    print(`written: ${output}`);
  },
};

function described(
  file: SampleFile,
  options: CommandInput["options"],
): { readonly description: TableDescription; readonly y: Tensor } {
  const { targets, inputNames: inputs, targetName: target = "y" } = file;
  if (targets === undefined) throw new ValueError("fit-targets: the file has no target");
  const hidden = widths(String(options.hidden));
  if (isTensor(targets) && options.classes !== true) {
    const y = targets.reshape([targets.shape[0], -1]);
    return { description: { inputs, target, task: "regression", classes: [], outputs: y.shape[1], hidden }, y };
  }
  const labels = Array.from(isTensor(targets) ? targets.data() : targets, String);
  const classes = [...new Set(labels)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (classes.length < 2)
    throw new ValueError(`fit-targets: ${target} has one class only; give samples of two at least`);
  const outputs = classes.length === 2 ? 1 : classes.length;
  const places = new Map(classes.map((name, k) => [name, k]));
  const y = tensor(Float64Array.from(labels, (label) => places.get(label) as number));
  return { description: { inputs, target, task: "classification", classes, outputs, hidden }, y };
}

function widths(text: string): number[] {
  if (text === "none" || text === "") return [];
  return text.split(",").map((part) => {
    const width = Number(part);
    if (!Number.isSafeInteger(width) || width < 1)
      throw new ValueError(`--hidden: "${part}" is no width; give whole numbers, as in 64,64, or none`);
    return width;
  });
}

function lossOf({ task, outputs }: TableDescription, y: Tensor): TargetLoss {
  if (task === "regression") return losses.squared(y);
  return outputs === 1 ? losses.logistic(y) : losses.softmax(y);
}

/** @throws ValueError for counts that are none; the rest is for `sso` to judge. */
function settingsOf(options: CommandInput["options"], rows: number, smoothness: number): SsoOptions {
  const passes = Number(options.passes);
  if (!(passes > 0 && Number.isFinite(passes))) throw new ValueError(`--passes is ${passes}; it must be > 0`);
  const wanted = Number(options.batch);
  const batch = wanted === 0 ? rows : Math.min(wanted, rows);
  return {
    eta: options.eta === undefined ? "theory" : Number(options.eta),
    smoothness,
    schedule: options.schedule as RateSchedule,
    metric: options.metric as Metric,
    batch: batch === rows ? "full" : batch,
    steps: Math.max(1, Math.round(passes * Math.max(1, Math.floor(rows / batch)))),
    inner: { steps: Number(options["inner-steps"]) },
  };
}

async function judged(model: TableModel, x: Tensor, y: Tensor): Promise<string> {
  const { description } = model;
  const z = outputsOf(model, x);
  const rows = x.shape[0];
  if (description.task === "regression") {
    const error = z.cast("float64").sub(y).square().mean().item();
    return `mean squared error on ${rows} held-out samples: ${error.toPrecision(4)}`;
  }
  const targets = y.data();
  const right = predictedClasses(z).reduce((count, k, i) => count + (k === targets[i] ? 1 : 0), 0);
  return `accuracy on ${rows} held-out samples: ${(right / rows).toFixed(4)}`;
}

/** The class of each row: that of the largest output, or whether the only one is positive. */
export function predictedClasses(z: Tensor): number[] {
  const [rows, C] = z.shape;
  const values = z.data();
  return Array.from({ length: rows }, (_, i) => {
    if (C === 1) return values[i] > 0 ? 1 : 0;
    let best = 0;
    for (let c = 1; c < C; c++) if (values[i * C + c] > values[i * C + best]) best = c;
    return best;
  });
}
