import { defineCommand, Failure, option, readTable, seedOption, stateOptions } from "@offprint/commands";
import { readNpy, standardization, writeCsv, writeSafetensors } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { adam, type TrainingRecord, type TrainingState } from "@offprint/optim";
import { log, mean, random, requireFinite, type Tensor, take } from "@offprint/tensor-core";
import { densityFlow, type FlowParameters, fitOde } from "../src/index.js";

/** Points `[count, features]` of a file, and the names of their numbers. */
interface Points {
  readonly names: readonly string[];
  readonly values: Tensor;
}

/** Reads NPY `[count, features]`, or what `readTable` reads. @throws Failure for other shapes. */
async function readPoints(path: string, columns: readonly string[]): Promise<Points> {
  const array = await loadFile(path, (bytes) => (bytes[0] === 0x93 ? readNpy(bytes) : undefined));
  if (array === undefined) {
    const { inputs, features } = await readTable(path, {
      target: null,
      ...(columns.length > 0 && { features: columns }),
    });
    return { names: features, values: inputs };
  }
  if (columns.length > 0) throw new Failure(`--columns: ${path} has no names of columns; leave it out`);
  if (array.rank !== 2 || array.shape[1] === 0) {
    throw new Failure(`${path}: its array has shape [${array.shape}]; give [points, features]`);
  }
  requireFinite(path, "its array", array);
  const names = Array.from({ length: array.shape[1] as number }, (_, i) => `x${i + 1}`);
  return { names, values: array.cast("float64") };
}

/** `offprint fit-density --table points.npy --output flow.safetensors --draws 1000 --samples drawn.csv` */
export const fitDensity = defineCommand({
  name: "fit-density",
  summary: "Learn the density of points in a table by a continuous flow that is fast to solve, and draw from it",
  options: {
    table: option.fileIn("the points: NPY [points, features], or CSV with a header", { required: true, short: "t" }),
    columns: option.list(option.text("columns to learn; default all"), { default: [], distinct: true }),
    holdout: option.number("part of the points held out to judge by, in (0, 1)", { default: 0.1, above: 0, below: 1 }),
    hidden: option.list(option.integer("widths of the hidden layers", { least: 1 }), { default: [64, 64] }),
    epochs: option.integer("passes over the points", { default: 50, least: 1 }),
    batchSize: option.integer("points of an update, or all", { default: 200, least: 1 }),
    learningRate: option.number("step of Adam", { default: 0.005, above: 0 }),
    lambda: option.number("weight of the solver's error estimates, falling to a tenth", { default: 10, least: 0 }),
    tolerance: option.number("tolerance of the solver in training", { default: 1e-5, least: 1e-14, below: 1 }),
    draws: option.integer("points to draw at the end, for --samples", { least: 1 }),
    ...seedOption,
    output: option.fileOut("file for the network (safetensors)", { short: "o" }),
    samples: option.fileOut("file for points that are drawn (CSV); default as many as were given", {
      endings: [".csv"],
    }),
    ...stateOptions,
  },
  async run({ options, print, report, write, refuse, longRun }) {
    const { epochs, lambda, tolerance, seed, hidden } = options;
    if (options.samples === undefined) refuse(["draws"], "without --samples nothing is drawn");
    const { names, values } = await readPoints(options.table, options.columns);
    const [count] = values.shape as [number];
    const held = Math.round(options.holdout * count);
    if (held < 1 || count - held < 2) {
      throw new Failure(
        `--holdout is ${options.holdout} of ${count} points; leave one to judge by and two to learn from`,
      );
    }
    const order = random.rng(`${seed}/held out`).permutation(count);
    const part = (start: number, stop: number) => take(values, order.slice([{ start, stop }]), 0);
    const [learned, judged] = [part(held, count), part(0, held)];
    const scale = standardization(learned);
    const constant = names.findIndex(
      (_, i) =>
        learned
          .slice([null, i])
          .sub(learned.slice([0, i]))
          .abs()
          .max()
          .item() === 0,
    );
    if (constant >= 0)
      throw new Failure(`${options.table}: ${names[constant]} is constant, which has no density; leave it out`);
    const points = scale.apply(learned);
    print(`${count - held} points to learn from, ${held} held out, of ${names.length} numbers: ${names.join(", ")}`);

    const flow = densityFlow({ features: names.length, hidden });
    const batchSize = Math.min(options.batchSize, count - held);
    const updates = epochs * Math.floor((count - held) / batchSize);
    const run = await longRun<TrainingRecord, TrainingState<FlowParameters>>({
      progress: ({ step, loss }) => ({ fraction: step / updates, label: `step ${step}, loss ${loss.toPrecision(4)}` }),
    });
    const result = await fitOde(flow.model, flow.init(random.rng(`${seed}/weights`)), flow.batches(points, batchSize), {
      ...{ tolerance, lambda: [lambda, lambda / 10], epochs, seed },
      optimizer: adam({ learningRate: options.learningRate }),
      ...run.options,
    });
    await run.settle(result);
    const { params, history } = result;
    const found = flow.logDensity(params, scale.apply(judged));
    // From standardised numbers to those of the table.
    const stretch = log(scale.std).sum().item();
    const apart = scale
      .apply(judged)
      .square()
      .add(Math.log(2 * Math.PI))
      .sum(1)
      .mul(0.5);
    report([
      [
        "evaluations of a solve, first and last",
        `${history[0]?.figures?.["evaluations"]}, ${history.at(-1)?.figures?.["evaluations"]}`,
      ],
      ["evaluations to judge", found.evaluations],
      ["negative log-likelihood of what was held out (nats), standardised", -mean(found.values).item()],
      ["the same, in the units of the table", stretch - mean(found.values).item()],
      ["the same, of normal numbers that are independent", stretch + mean(apart).item()],
    ]);
    if (options.samples !== undefined) {
      const drawn = scale.invert(flow.sample(params, random.rng(`${seed}/draws`), options.draws ?? count));
      await write(options.samples, writeCsv(drawn, { names }));
    }
    const layers = params.layers.flatMap(
      ({ w, b }, i) =>
        [
          [`w${i + 1}`, w],
          [`b${i + 1}`, b],
        ] as const,
    );
    await write(
      options.output,
      writeSafetensors({ ...Object.fromEntries(layers), centre: scale.mean, scale: scale.std }),
    );
  },
});
