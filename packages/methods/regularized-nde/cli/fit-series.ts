import { defineCommand, Failure, option, seedOption, stateOptions } from "@offprint/commands";
import { hideObservations, rangeScaling } from "@offprint/data";
import {
  type LatentOdeOptions,
  type LatentOdeParameters,
  latentOde,
  maskedMeanSquaredError,
  saveLatentOde,
} from "@offprint/ode/latent";
import { adamax, type TrainingRecord, type TrainingState } from "@offprint/optim";
import { broadcastTo, maximum, random, type Tensor } from "@offprint/tensor-core";
import { fitOde } from "../src/index.js";
import { readSeries, seriesOptions } from "./series-file.js";

/** What the file of a model says of the series that it was made for. */
export interface SeriesDescription {
  /** Names of the quantities. */
  readonly names: readonly string[];
  /** Smallest and largest value of each. */
  readonly ranges: readonly (readonly number[])[];
  /** What times are rounded to multiples of. */
  readonly quantum?: number;
}

/** `offprint fit-series --table patients.csv --id patient --output model.safetensors` */
export const fitSeries = defineCommand({
  name: "fit-series",
  summary:
    "Learn a latent ODE of irregular, partly observed series, which predict-series fills gaps and looks ahead with",
  options: {
    ...seriesOptions,
    columns: option.list(option.text("quantities to learn; default all others"), { distinct: true }),
    quantum: option.number("times are rounded to multiples of it; default not, and 1 hour of records", { above: 0 }),
    hide: option.number("part of what was seen that is set aside, to judge the model by, in [0, 1)", {
      default: 0.1,
      least: 0,
      below: 1,
    }),
    latent: option.integer("numbers of the latent state", { default: 8, least: 1 }),
    memory: option.integer("numbers of mean and deviation that the encoder carries", { default: 32, least: 1 }),
    hidden: option.list(option.integer("widths of the hidden layers of the equation", { least: 1 }), { default: [16] }),
    deviation: option.number("standard deviation of what is seen, in parts of its range", { default: 0.05, above: 0 }),
    divergence: option.number(
      "weight of the divergence of first states from the standard normal; default one over the numbers seen of a series",
      { least: 0 },
    ),
    steps: option.integer("updates, rounded up to whole passes over the series", { default: 1000, least: 1 }),
    batchSize: option.integer("series of an update, or all", { default: 32, least: 1 }),
    learningRate: option.number("step of Adamax", { default: 0.01, above: 0 }),
    lambda: option.number("weight of the solver's error estimates, falling to a tenth", { default: 100, least: 0 }),
    tolerance: option.number("tolerance of the solver", { default: 1e-5, least: 1e-14, below: 1 }),
    ...seedOption,
    output: option.fileOut("file for the model (safetensors)", { short: "o" }),
    ...stateOptions,
  },
  async run({ options, print, report, write, longRun }) {
    const { latent, memory, hidden, deviation, lambda, tolerance, seed, quantum } = options;
    const { series } = await readSeries({ ...options, names: options.columns });
    const [count, times, features] = series.values.shape as [number, number, number];
    if (times < 2) throw new Failure(`${options.table}: all of it was seen at one time; there is no course to learn`);
    const { seen, hidden: aside } = hideObservations(series, {
      share: options.hide,
      rng: random.rng(`${seed}/hidden`),
    });
    const scaling = rangeScaling(seen);
    const [shown, judged] = [scaling.apply(seen), scaling.apply(aside)];
    const observed = shown.mask.sum().item();
    if (observed === 0) throw new Failure(`${options.table}: nothing is left to learn from; give a smaller --hide`);
    print(`${count} series, ${times} times, ${features} quantities, ${observed} numbers to learn from`);

    const span = [0, times - 1].map((k) => series.times.slice([k]).item()) as [number, number];
    const sizes: LatentOdeOptions = { features, latent, state: memory, gate: memory, rate: hidden, deviation, span };
    const model = latentOde(sizes);
    const batchSize = Math.min(options.batchSize, count);
    const batches = Math.floor(count / batchSize);
    const epochs = Math.ceil(options.steps / batches);
    const divergence = options.divergence ?? count / observed;
    const solving = { tolerance, maxSteps: 512 };
    const run = await longRun<TrainingRecord, TrainingState<LatentOdeParameters>>({
      progress: ({ step, loss }) => ({
        fraction: step / (epochs * batches),
        label: `step ${step}, loss ${loss.toPrecision(4)}`,
      }),
    });
    const result = await fitOde(
      model.model,
      model.init(random.rng(`${seed}/weights`)),
      model.batches(shown, { batchSize, divergenceWeight: (epoch) => divergence * (1 - 0.99 ** epoch) }),
      {
        ...model.solving(shown),
        ...solving,
        optimizer: adamax({ learningRate: options.learningRate }),
        ...{ lambda: [lambda, lambda / 10], epochs, seed },
        ...run.options,
      },
    );
    await run.settle(result);
    const { values, evaluations } = model.predictor(solving)(result.params, shown);
    const centre = shown.values.sum([0, 1]).div(maximum(shown.mask.sum([0, 1]), 1));
    const error = (of: typeof shown, predicted: Tensor) =>
      Math.sqrt(maskedMeanSquaredError(of.values, predicted, of.mask).item());
    report([
      ["loss of the first batch", result.history[0]?.loss ?? "none"],
      ["of the last batch", result.history.at(-1)?.loss ?? "none"],
      ["error at what was seen, in parts of the range", error(shown, values)],
      ...(aside.mask.sum().item() === 0
        ? []
        : ([
            ["at what was set aside", error(judged, values)],
            ["there, of the mean of each quantity", error(judged, broadcastTo(centre, [count, times, features]))],
          ] as const)),
      ["evaluations of the equation", evaluations],
    ]);
    const about: SeriesDescription = {
      names: series.names,
      ranges: [scaling.minimum, scaling.maximum].map((x) => Array.from(x.data())),
      ...(quantum !== undefined && { quantum }),
    };
    await write(options.output, saveLatentOde({ options: sizes, params: result.params, about }));
  },
});
