import {
  classesOf,
  defineCommand,
  deviceOptions,
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
import { type Standardization, standardization, Table, writeCsv } from "@offprint/data";
import { mlp, saveParameters } from "@offprint/nn";
import { accuracy } from "@offprint/optim";
import { logSumExp, mean, mul, oneHot, random, square, sub, sum, type Tensor, take } from "@offprint/tensor-core";
import { type AdaptiveState, type BatchTest, type StepRecord, trainAdaptive } from "../src/index.js";

interface Samples {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

const tests = ["norm", "inner-product", "orthogonality", "augmented", "coordinate-wise"] as const;

/** `offprint grow-batches --table data.csv --target y --history batches.csv` */
export const growBatches = defineCommand({
  name: "grow-batches",
  summary: "Train a network on a table with a batch size that grows as a test on per-sample gradients demands",
  options: {
    ...tableOptions,
    task: option.choice(["classification", "regression"], "what the target is; default: texts are classes"),
    hidden: option.list(option.integer("widths of hidden layers, as in 64,64, or none", { least: 1 }), {
      default: [32],
      none: "none",
    }),
    optimizer: option.choice(["adagrad", "adagrad-norm"], "what moves the parameters", { default: "adagrad" }),
    learningRate: option.number("alpha", { default: 0.05, least: 0 }),
    test: option.choice(tests, "test of the batch size", { default: "norm" }),
    eta: option.number("relative error that the test allows, along the gradient", { default: 0.5, above: 0 }),
    nu: option.number("the same across the gradient (orthogonality, augmented)", { default: 1, above: 0 }),
    batchSize: option.integer("first batch size", { default: 16, least: 2 }),
    maxBatch: option.integer("largest batch size; default: all samples", { least: 2 }),
    epochs: option.number("budget of samples, as passes over the data", { default: 50, above: 0, free: true }),
    ...holdoutOption,
    ...seedOption,
    output: option.fileOut("file for the parameters, with the scaling of the columns (safetensors)", { short: "o" }),
    history: option.fileOut("file for what happened at each step (CSV)"),
    ...stateOptions,
    ...deviceOptions,
  },
  async run({ options, print, report, write, refuse, longRun, backend: opened }) {
    const { seed } = options;
    if (options.test === "orthogonality") refuse(["eta"], "--test orthogonality looks across the gradient only");
    else if (options.test !== "augmented") refuse(["nu"], `--test ${options.test} does not look across the gradient`);
    const table = await readTable(options.table, options);
    const classes = taskOf(table, options.task) === "classification" ? classesOf(table) : undefined;
    const coded = { ...table, target: classes?.codes ?? numbersOf(table) };
    const { train, test } = holdOut(coded, options.holdout, seed);
    const scale = standardization(train.inputs);
    const units = classes === undefined ? standardization(train.target) : undefined;
    const samples = (part: SampleTable & { target: Tensor }): Samples => ({
      inputs: scale.apply(part.inputs).cast("float32"),
      targets: units === undefined ? part.target : units.apply(part.target).cast("float32"),
    });
    const learn = samples(train);
    const outputs = classes?.names.length ?? learn.targets.shape[1]!;
    const network = mlp({ sizes: [table.features.length, ...options.hidden, outputs] });
    const size = learn.inputs.shape[0]!;
    if (options.batchSize > size) {
      throw new Failure(`--batch-size is ${options.batchSize}; there are ${size} samples to learn from`);
    }
    const { maxBatch = size } = options;
    if (maxBatch < options.batchSize || maxBatch > size) {
      throw new Failure(
        `--max-batch is ${maxBatch}; it must be from --batch-size, ${options.batchSize}, to ${size} samples`,
      );
    }
    const maxSamples = Math.ceil(options.epochs * size);
    const kind = classes === undefined ? "numbers" : `${classes.names.length} classes`;
    print(`${size} samples to learn from, ${test?.inputs.shape[0] ?? 0} held out; ${table.targetName}: ${kind}`);
    const run = await longRun<StepRecord, AdaptiveState>({
      progress: ({ samples: seen, batchSize, loss, step }) => ({
        fraction: seen / maxSamples,
        label: `step ${step}, batch ${batchSize}, loss ${loss.toPrecision(4)}`,
      }),
    });
    const params = network.init(random.rng(`${seed}/parameters`));
    const backend = await opened();
    const result = await trainAdaptive(
      {
        params,
        data: {
          size,
          batch: (indices) => ({ inputs: take(learn.inputs, indices), targets: take(learn.targets, indices) }),
        },
        sampleLoss: (parameters: typeof params, batch: Samples): Tensor => {
          const out = network.apply(parameters, batch.inputs);
          if (classes === undefined) return mean(square(sub(out, batch.targets)), { axis: 1 });
          const right = mul(out, oneHot(batch.targets, outputs, { dtype: "float32" }));
          return sub(logSumExp(out, { axis: 1 }), sum(right, { axis: 1 }));
        },
      },
      {
        optimizer: options.optimizer,
        learningRate: options.learningRate,
        initialBatch: options.batchSize,
        maxBatch,
        test: batchTest(options.test, options.eta, options.nu),
        maxSamples,
        seed,
        ...run.options,
        ...(backend && { backend }),
      },
    );
    await run.settle(result);
    for (const line of doublings(result.history)) print(line);
    const scaling = { inputs: momentsOf(scale), ...(units && { targets: momentsOf(units) }) };
    if (test !== undefined) {
      const judge = samples(test);
      const found = network.apply(result.params, judge.inputs);
      const score =
        units === undefined
          ? accuracy(found, judge.targets)
          : mean(square(sub(units.invert(found.cast("float64")), test.target)));
      const name = classes === undefined ? "mean squared error" : "accuracy";
      report([[`${name} on ${judge.inputs.shape[0]} held-out samples`, score.item().toPrecision(4)]]);
    }
    await write(options.history, writeCsv(historyTable(result.history)));
    await write(options.output, saveParameters({ network: result.params, ...scaling }));
  },
});

/** Means and standard deviations: what a file needs beside the parameters. */
const momentsOf = ({ mean, std }: Standardization) => ({ mean, std });

function batchTest(kind: (typeof tests)[number], eta: number, nu: number): BatchTest {
  switch (kind) {
    case "norm":
    case "coordinate-wise":
      return { kind, eta };
    case "inner-product":
      return { kind, theta: eta };
    case "orthogonality":
      return { kind, nu };
    case "augmented":
      return { kind, theta: eta, nu };
  }
}

/** A line whenever the batch size has doubled. */
function doublings(history: readonly StepRecord[]): string[] {
  let told = 0;
  return history.flatMap(({ step, batchSize, loss }) => {
    if (batchSize < 2 * told && step < history.length) return [];
    told = batchSize;
    return `step ${String(step).padStart(6)}  batch ${String(batchSize).padStart(6)}  loss ${loss.toPrecision(4)}`;
  });
}

function historyTable(history: readonly StepRecord[]): Table {
  const keys = [
    "step",
    "samples",
    "batchSize",
    "requested",
    "loss",
    "gradNormSquared",
    "variance1Norm",
    "learningRate",
  ] as const;
  return new Table(
    keys.map((name) => ({ name, type: "number", values: Float64Array.from(history, (record) => record[name]) })),
  );
}
