import { defineCommand, Failure, type LongRun, learnSeries, learnSeriesOptions, option } from "@offprint/commands";
import { type RateNetwork, seriesDynamics } from "@offprint/ode/fit";
import { adam, type TrainingRecord, type TrainingState } from "@offprint/optim";
import { random } from "@offprint/tensor-core";
import { type FitLocallyOptions, fitLocally, type Heuristic } from "../src/index.js";

type Training = LongRun<TrainingRecord, TrainingState<RateNetwork>>["options"];

/** `offprint learn-dynamics --table series.csv --stretch 0 --adjoint backsolve --output model.safetensors --plot fit.svg` */
export const learnDynamics = defineCommand({
  name: "learn-dynamics",
  summary: "Learn the dynamics of time series in a table as a neural ODE, penalised at one random time, at any adjoint",
  options: {
    ...learnSeriesOptions,
    mode: option.choice(
      ["unbiased", "biased", "none"],
      "times even over the span, or among the solver's steps; default unbiased",
    ),
    regularize: option.choice(["error", "stiffness"], "what of a local step is penalised; default error"),
    samples: option.integer("times drawn for each solve; default 1", { least: 1 }),
    adjoint: option.choice(
      ["interpolating", "backsolve", "discrete"],
      "how the solve is differentiated; backsolve keeps nothing of it",
      { default: "interpolating" },
    ),
    lambda: option.number("weight of the local term, falling to a tenth; default 0.1, 0 for none", { least: 0 }),
  },
  run(input) {
    const { adjoint, epochs, tolerance, seed, learningRate } = input.options;
    const { mode = "unbiased", regularize = "error", samples = 1, lambda = 0.1 } = input.options;
    checkPenalty(input.options);
    return learnSeries(input, seriesDynamics, ({ model, init, batches, solving }, run: Training) =>
      fitLocally(model, init(random.rng(seed)), batches, {
        ...solving,
        ...{ mode, regularize, samples, adjoint, tolerance, lambda: [lambda, lambda / 10], epochs, seed },
        optimizer: adam({ learningRate }),
        ...run,
      }),
    );
  },
});

/** @throws Failure for an option that would do nothing, as no local term is penalised. */
function checkPenalty(words: {
  readonly mode?: FitLocallyOptions<RateNetwork>["mode"] | undefined;
  readonly regularize?: Heuristic | undefined;
  readonly samples?: number | undefined;
  readonly lambda?: number | undefined;
}): void {
  const { mode, regularize, samples, lambda } = words;
  if (mode !== "none" && lambda !== 0) return;
  if (regularize === undefined && samples === undefined && (mode === undefined || !lambda)) return;
  const why = mode === "none" ? "--mode none" : "--lambda 0";
  throw new Failure(
    `${why} leaves the local term out, which --regularize, --samples and --lambda are of; leave them out`,
  );
}
