import { defineCommand, type LongRun, learnSeries, learnSeriesOptions, option } from "@offprint/commands";
import { type RateNetwork, seriesDynamics } from "@offprint/ode/fit";
import { adam, type TrainingRecord, type TrainingState } from "@offprint/optim";
import { random } from "@offprint/tensor-core";
import { fitOde } from "../src/index.js";

type Training = LongRun<TrainingRecord, TrainingState<RateNetwork>>["options"];

/** `offprint fit-dynamics --table series.csv --output model.safetensors --plot fit.svg` */
export const fitDynamics = defineCommand({
  name: "fit-dynamics",
  summary: "Learn the dynamics of time series in a table as a neural ODE that is fast to solve, with a plot",
  options: {
    ...learnSeriesOptions,
    lambda: option.number("weight of the solver's error estimates, falling to a tenth", { default: 0.1, least: 0 }),
  },
  run(input) {
    const { steps, tolerance, seed, lambda, learningRate } = input.options;
    return learnSeries(input, seriesDynamics, ({ model, init, batches, solving }, run: Training) =>
      fitOde(model, init(random.rng(seed)), batches, {
        ...solving,
        ...{ tolerance, lambda: [lambda, lambda / 10], epochs: steps, seed },
        optimizer: adam({ learningRate }),
        ...run,
      }),
    );
  },
});
