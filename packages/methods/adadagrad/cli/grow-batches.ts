import type { CommandInput, MethodCommand } from "@offprint/claims";
import { readSamples, type SampleFile, standardization, Table, trainTestSplit, writeCsv } from "@offprint/data";
import { loadFile, saveFile } from "@offprint/data/node";
import { mlp, saveParameters } from "@offprint/nn";
import { accuracy } from "@offprint/optim";
import {
  AbortedError,
  isTensor,
  logSumExp,
  mean,
  mul,
  oneHot,
  random,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type BatchTest, type StepRecord, trainAdaptive } from "../src/index.js";

interface Samples {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

/** `offprint grow-batches data.csv --target y --history batches.csv` */
export const growBatches: MethodCommand = {
  name: "grow-batches",
  summary:
    "Train a network on a table (CSV, NPZ) with a batch size that grows as a test on per-sample gradients demands",
  arguments: [{ name: "data", description: "CSV with a header, or NPZ with arrays x [samples, features] and y" }],
  options: [
    { name: "target", description: "column to predict (default the last), or array of an NPZ file", type: "string" },
    { name: "classes", description: "take the target's numbers as classes; texts always are", type: "boolean" },
    {
      name: "hidden",
      description: "widths of hidden layers, as in 64,64; none for a linear model",
      type: "string",
      default: "32",
    },
    { name: "optimizer", description: "adagrad or adagrad-norm", type: "string", default: "adagrad" },
    { name: "learning-rate", description: "alpha", type: "number", default: 0.05 },
    {
      name: "test",
      description: "norm, inner-product, orthogonality, augmented or coordinate-wise",
      type: "string",
      default: "norm",
    },
    {
      name: "eta",
      description: "relative error that the test allows, along the gradient",
      type: "number",
      default: 0.5,
    },
    { name: "nu", description: "the same across the gradient (orthogonality, augmented)", type: "number", default: 1 },
    { name: "batch", description: "first batch size", type: "number", default: 16 },
    { name: "passes", description: "budget of samples, as passes over the data", type: "number", default: 50 },
    { name: "seed", description: "source of all randomness", type: "number", default: 0 },
    { name: "history", description: "file for what happened at each step (CSV)", type: "string" },
    { name: "output", description: "file for the parameters (safetensors)", type: "string" },
  ],
  async run(input) {
    const { options, print, signal } = input;
    const target = options.target as string | undefined;
    const file = await loadFile(String(input.arguments.data), (bytes) =>
      readSamples(bytes, target === undefined ? {} : { target }),
    );
    const { targets, classes } = codedTargets(file, options.classes === true);
    const seed = Number(options.seed);
    const parts = trainTestSplit({ inputs: file.inputs, targets }, { test: 0.2, rng: random.rng(`${seed}/held out`) });
    const scale = standardization(parts.train.inputs);
    const [learn, judge] = [parts.train, parts.test].map(
      (part): Samples => ({ ...part, inputs: scale.apply(part.inputs).cast("float32") }),
    );
    const network = mlp({
      sizes: [file.inputNames.length, ...widths(String(options.hidden)), classes ?? targets.shape[1]],
    });
    const sampleLoss = (params: any, batch: Samples): Tensor => {
      const out = network.apply(params, batch.inputs);
      if (classes === undefined) return mean(square(sub(out, batch.targets)), { axis: 1 });
      return sub(
        logSumExp(out, { axis: 1 }),
        sum(mul(out, oneHot(batch.targets, classes, { dtype: "float32" })), { axis: 1 }),
      );
    };
    const size = learn.inputs.shape[0];
    const maxSamples = Math.ceil(Number(options.passes) * size);
    const backend = await input.backend();
    print(
      `${size} samples to learn from, ${judge.inputs.shape[0]} held out; ${file.targetName}: ${classes === undefined ? "numbers" : `${classes} classes`}`,
    );
    const { params, history, status } = await trainAdaptive(
      {
        params: network.init(random.rng(`${seed}/parameters`)),
        data: {
          size,
          batch: (indices) => ({ inputs: take(learn.inputs, indices), targets: take(learn.targets, indices) }),
        },
        sampleLoss,
      },
      {
        optimizer: chosenOptimizer(options.optimizer),
        learningRate: Number(options["learning-rate"]),
        initialBatch: Number(options.batch),
        test: chosenTest(options),
        maxSamples,
        seed,
        signal,
        async onProgress({ samples, batchSize, loss, step }) {
          input.onProgress(samples / maxSamples, `step ${step}, batch ${batchSize}, loss ${loss.toPrecision(4)}`);
          await new Promise((resume) => setImmediate(resume)); // lets Ctrl-C through
        },
        ...(backend && { backend }),
      },
    );
    if (status === "aborted") throw new AbortedError("grow-batches: interrupted; nothing is written");
    report(history, print);
    const found = network.apply(params, judge.inputs);
    const score = classes === undefined ? mean(square(sub(found, judge.targets))) : accuracy(found, judge.targets);
    print(
      `${classes === undefined ? "mean squared error" : "accuracy"} on held-out samples: ${score.item().toPrecision(4)}`,
    );
    await writeFiles(input, history, saveParameters(params));
  },
};

async function writeFiles(
  { options, print }: CommandInput,
  history: readonly StepRecord[],
  parameters: Uint8Array,
): Promise<void> {
  const outputs = [
    ["history", () => writeCsv(historyTable(history))],
    ["output", () => parameters],
  ] as const;
  for (const [option, content] of outputs) {
    const path = options[option] as string | undefined;
    if (path === undefined) continue;
    await saveFile(path, content());
    print(`written: ${path}`);
  }
}

function codedTargets(file: SampleFile, asClasses: boolean): { targets: Tensor; classes?: number } {
  const { targets } = file;
  if (targets === undefined) throw new ValueError("grow-batches: the file has no target");
  if (isTensor(targets) && !asClasses) {
    return { targets: targets.reshape([targets.shape[0], -1]).cast("float32") };
  }
  const labels: ArrayLike<number | string> = isTensor(targets) ? targets.data() : targets;
  const names = [...new Set(Array.from(labels))].sort((a, b) =>
    typeof a === "number" ? a - Number(b) : a < b ? -1 : 1,
  );
  if (names.length < 2)
    throw new ValueError(`grow-batches: ${file.targetName} has one class only; give samples of two at least`);
  const places = new Map(names.map((name, k) => [name, k]));
  return {
    targets: tensor(Int32Array.from(Array.from(labels), (label) => places.get(label) as number)),
    classes: names.length,
  };
}

function widths(text: string): number[] {
  if (text === "none" || text === "") return [];
  return text.split(",").map((part) => {
    const width = Number(part);
    if (!Number.isSafeInteger(width) || width < 1)
      throw new ValueError(`--hidden: "${part}" is no width; give whole numbers, as in 64,64`);
    return width;
  });
}

function chosenOptimizer(name: unknown): "adagrad" | "adagrad-norm" {
  if (name === "adagrad" || name === "adagrad-norm") return name;
  throw new ValueError(`--optimizer is ${String(name)}; it must be adagrad or adagrad-norm`);
}

function chosenTest(options: CommandInput["options"]): BatchTest {
  const [eta, nu] = [Number(options.eta), Number(options.nu)];
  const tests: Readonly<Record<string, BatchTest>> = {
    norm: { kind: "norm", eta },
    "inner-product": { kind: "inner-product", theta: eta },
    orthogonality: { kind: "orthogonality", nu },
    augmented: { kind: "augmented", theta: eta, nu },
    "coordinate-wise": { kind: "coordinate-wise", eta },
  };
  const found = tests[String(options.test)];
  if (found === undefined)
    throw new ValueError(`--test is ${String(options.test)}; it must be one of ${Object.keys(tests).join(", ")}`);
  return found;
}

/** A line whenever the batch size has doubled. */
function report(history: readonly StepRecord[], print: (line: string) => void): void {
  let told = 0;
  for (const { step, batchSize, loss } of history) {
    if (batchSize < 2 * told && step < history.length - 1) continue;
    told = batchSize;
    print(`step ${String(step).padStart(6)}  batch ${String(batchSize).padStart(6)}  loss ${loss.toPrecision(4)}`);
  }
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
