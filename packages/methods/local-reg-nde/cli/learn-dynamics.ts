import { defineCommand, type LongRun, learnSeries, learnSeriesOptions, option } from "@offprint/commands";
import { type RateNetwork, seriesDynamics } from "@offprint/ode/fit";
import { adam, type TrainingRecord, type TrainingState } from "@offprint/optim";
import { random } from "@offprint/tensor-core";
import { fitLocally } from "../src/index.js";

type Training = LongRun<TrainingRecord, TrainingState<RateNetwork>>["options"];

/** `offprint learn-dynamics --table series.csv --stretch 0 --adjoint backsolve --output model.safetensors --plot fit.svg` */
export const learnDynamics = defineCommand({
  name: "learn-dynamics",
  summary: "Learn the dynamics of time series in a table as a neural ODE, penalised at one random time, at any adjoint",
  options: {
    ...learnSeriesOptions,
    mode: option.choice(["unbiased", "biased", "none"], "times even over the span, or among the solver's steps", {
      default: "unbiased",
    }),
    regularize: option.choice(["error", "stiffness"], "what of a local step is penalised", { default: "error" }),
    samples: option.integer("times drawn for each solve", { default: 1, least: 1 }),
    adjoint: option.choice(
      ["interpolating", "backsolve", "discrete"],
      "how the solve is differentiated; backsolve keeps nothing of it",
      { default: "interpolating" },
    ),
    lambda: option.number("weight of the local term, falling to a tenth; 0 for none", { default: 0.1, least: 0 }),
  },
  run(input) {
    const { mode, regularize, samples, adjoint, steps, tolerance, seed, lambda, learningRate } = input.options;
    if (mode === "none") input.refuse(["regularize", "samples", "lambda"], "--mode none leaves the local term out");
    else if (lambda === 0) input.refuse(["regularize", "samples", "mode"], "--lambda 0 leaves the local term out");
    return learnSeries(input, seriesDynamics, ({ model, init, batches, solving }, run: Training) =>
      fitLocally(model, init(random.rng(seed)), batches, {
        ...solving,
        ...{ mode, adjoint, tolerance, epochs: steps, seed },
        ...(mode !== "none" && { regularize, samples, lambda: [lambda, lambda / 10] }),
        optimizer: adam({ learningRate }),
        ...run,
      }),
    );
  },
});
