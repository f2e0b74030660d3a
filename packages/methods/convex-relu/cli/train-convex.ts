import {
  type CommandInput,
  classesOf,
  defineCommand,
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
} from "@offprint/commands";
import { standardization } from "@offprint/data";
import { isTensor, type Tensor, ValueError } from "@offprint/tensor-core";
import {
  type ConvexNetResult,
  type ConvexRecord,
  type ConvexState,
  inOriginalUnits,
  type Loss,
  networkToOnnx,
  predict,
  type ReluModel,
  type RobustNetResult,
  type RobustRunState,
  saveModel,
  trainConvex,
  trainRobust,
} from "../src/index.js";

const options = {
  ...tableOptions,
  loss: option.choice(["auto", "squared", "bce", "hinge"], "what is minimised; auto is bce for two classes", {
    default: "auto",
  }),
  beta: option.number("weight penalty beside the mean loss", { default: 1e-3, above: 0 }),
  method: option.choice(["admm", "admm-rbcd", "scp"], "solver", { default: "admm" }),
  patterns: option.integer("activation patterns to sample; default all or 100", { least: 1 }),
  samples: option.integer("scp: random neurons; default 500", { least: 1 }),
  eps: option.number("train against moves of so many standard deviations of a feature", { above: 0 }),
  maxIterations: option.integer("most iterations; default 2000, 4000 with --eps", { least: 1, free: true }),
  tolerance: option.number("tolerance of the residuals", { default: 1e-6, above: 0, free: true }),
  ...holdoutOption,
  ...seedOption,
  output: option.fileOut("file for the model (safetensors)", { short: "o" }),
  onnx: option.fileOut("file for the network alone (ONNX)"),
  json: option.fileOut("file for the certificate and the history"),
  ...stateOptions,
};

type Input = CommandInput<Options, typeof options>;
type Result = ConvexNetResult | RobustNetResult;

/** `offprint train-convex --table data.csv --target y --output model.safetensors` */
export const trainConvexNetwork = defineCommand({
  name: "train-convex",
  summary: "Train a ReLU network on a table to a certified global optimum",
  options,
  async run(input) {
    const table = await readTable(input.options.table, input.options);
    const task = taskOf(table, input.options.loss);
    const { train, test } = holdOut({ ...table, target: task.y }, input.options.holdout, input.options.seed);
    const scale = standardization(train.inputs);
    const y = train.target.data();
    const center = task.classes ? 0 : mean(y);
    const spread = task.classes ? 1 : Math.sqrt(mean(y.map((v) => (v - center) ** 2))) || 1;
    input.print(`${table.path}: ${y.length} samples, ${table.features.length} features, loss ${task.loss}`);
    const result = await optimum(scale.apply(train.inputs), train.target.sub(center).div(spread), task.loss, input);
    const units = { mean: scale.mean, std: scale.std, targetMean: center, targetStd: spread };
    const model: ReluModel = {
      net: inOriginalUnits(result.net, units),
      loss: task.loss,
      features: table.features,
      target: table.targetName,
      ...(task.classes && { classes: task.classes }),
      ...(result.dualBound && {
        certificate: {
          objective: result.networkObjective,
          dualBound: result.dualBound,
          ...("certifiedLoss" in result && { certifiedLoss: result.certifiedLoss, eps: input.options.eps ?? 0 }),
        },
      }),
    };
    for (const line of summary(result)) input.print(line);
    input.report([
      ["training data", quality(model, train)],
      ...(test ? [[`held out (${test.inputs.shape[0]})`, quality(model, test)] as const] : []),
    ]);
    await writeFiles(model, result, input);
  },
});

/** Which loss, and targets as numbers: -1 and 1 for two classes. */
function taskOf(
  table: SampleTable,
  wanted: "auto" | Loss,
): { readonly loss: Loss; readonly y: Tensor; readonly classes?: readonly [string, string] } {
  const { path, target, targetName } = table;
  const distinct = new Set<number | string>(isTensor(target) ? target.data() : target).size;
  const loss = wanted === "auto" ? (distinct === 2 ? "bce" : "squared") : wanted;
  if (loss === "squared") {
    if (!isTensor(target)) {
      throw new ValueError(
        `${path}: ${targetName} holds ${distinct === 1 ? "one text only" : `${distinct} different texts`}; two can be learnt`,
      );
    }
    const y = numbersOf(table);
    if (y.shape[1] !== 1) throw new ValueError(`${path}: ${targetName} has ${y.shape[1]} columns; one can be learnt`);
    return { loss, y: y.reshape([-1]) };
  }
  const { names, codes } = classesOf(table);
  const [first, second, ...others] = names;
  if (first === undefined || second === undefined || others.length > 0) {
    throw new ValueError(
      `${path}: ${targetName} has ${names.length} different values; --loss ${loss} needs two classes`,
    );
  }
  return { loss, classes: [first, second], y: codes.cast("float64").mul(2).sub(1) };
}

async function optimum(X: Tensor, y: Tensor, loss: Loss, { options, longRun, refuse }: Input): Promise<Result> {
  const { beta, seed, tolerance, eps, patterns, samples, method } = options;
  if (eps !== undefined) refuse(["method", "samples"], "with --eps there is one solver, of patterns");
  else if (method === "scp") refuse(["patterns"], "--method scp takes --samples");
  else refuse(["samples"], `--method ${method} takes --patterns`);
  const maxIterations = options.maxIterations ?? (eps === undefined ? 2000 : 4000);
  const shown = {
    progress: ({ iteration, objective }: ConvexRecord) => ({
      fraction: iteration / maxIterations,
      label: `objective ${objective.toPrecision(6)}`,
    }),
    every: 10,
  };
  const limits = { seed, tolerance, maxIterations };
  const common = { loss, beta, average: true, ...limits, ...(patterns !== undefined && { patterns }) };
  if (eps !== undefined) {
    const run = await longRun<ConvexRecord, RobustRunState>(shown);
    const result = await trainRobust(X, y, { ...common, eps, ...run.options });
    // Without a pattern that can be used there was nothing to run.
    if (result.state !== undefined) await run.settle({ status: result.status, state: result.state });
    return result;
  }
  const run = await longRun<ConvexRecord, ConvexState>(shown);
  const scp = samples === undefined ? {} : { scp: { samples } };
  const result = await trainConvex(X, y, { ...common, method, ...scp, ...run.options });
  await run.settle(result);
  return result;
}

function summary(result: Result): string[] {
  const { status, iterations, networkObjective, dualBound, gap, net, patterns } = result;
  const lines = [
    `${status} after ${iterations} iterations: ${net.a.size} neurons, objective ${networkObjective.toPrecision(7)}`,
  ];
  if ("certifiedLoss" in result) {
    lines.push(`worst-case loss within the boxes: at most ${result.certifiedLoss.toPrecision(5)} (certified)`);
    if (result.collapsed === "optimum") {
      lines.push("Warning: the zero network is the optimum; take a smaller --eps or --beta, or more --patterns.");
    } else if (result.collapsed === "unfinished") {
      lines.push("Warning: ended before anything better than the zero network was found; take more --max-iterations.");
    }
  }
  if (dualBound !== undefined && gap !== undefined) {
    const who = dualBound.scope === "network" ? "no network" : `no network with these ${patterns.D.length} patterns`;
    lines.push(`certified: ${who} is below ${dualBound.value.toPrecision(7)}; relative gap ${gap.toExponential(2)}`);
  }
  return lines;
}

function quality(
  { net, classes }: ReluModel,
  { inputs, target }: { readonly inputs: Tensor; readonly target: Tensor },
): string {
  const f = predict(net, inputs).data();
  const y = Float64Array.from(target.data());
  if (classes !== undefined) {
    const right = y.reduce((count, label, k) => count + (label * (f[k]! >= 0 ? 1 : -1) > 0 ? 1 : 0), 0);
    return `${((100 * right) / y.length).toFixed(2)} % right`;
  }
  const center = mean(y);
  const left = y.reduce((sum, value, k) => sum + (value - f[k]!) ** 2, 0);
  const total = y.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return `root mean square error ${Math.sqrt(left / y.length).toPrecision(5)}, R2 ${(1 - left / (total || 1)).toFixed(4)}`;
}

async function writeFiles(model: ReluModel, result: Result, { options, note, write }: Input): Promise<void> {
  const { output, onnx, json } = options;
  await write(output, saveModel(model));
  await write(onnx, networkToOnnx(model.net));
  if (json !== undefined) {
    const { status, iterations, networkObjective, convexObjective, dualBound, gap, maxViolation, history } = result;
    const report = { status, iterations, networkObjective, convexObjective, dualBound, gap, maxViolation, history };
    await write(json, `${JSON.stringify({ ...report, certificate: model.certificate }, null, 2)}\n`);
  }
  if (!output && !onnx) note("--output <file> keeps the model; --onnx <file> writes it for ONNX Runtime.");
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
