import {
  defineCommand,
  Failure,
  option,
  plotTimeSeries,
  readTimeSeries,
  seedOption,
  stateOptions,
  timeSeriesOptions,
} from "@offprint/commands";
import { writeSafetensors } from "@offprint/data";
import { type RateNetwork, seriesDynamics } from "@offprint/ode/fit";
import { adam, type TrainingRecord, type TrainingState } from "@offprint/optim";
import { mean, random, square, sub } from "@offprint/tensor-core";
import { type FitLocallyOptions, fitLocally, type Heuristic } from "../src/index.js";

/** `offprint learn-dynamics --table series.csv --stretch 0 --adjoint backsolve --output model.safetensors --plot fit.svg` */
export const learnDynamics = defineCommand({
  name: "learn-dynamics",
  summary: "Learn the dynamics of time series in a table as a neural ODE, penalised at one random time, at any adjoint",
  options: {
    ...timeSeriesOptions,
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
    hidden: option.integer("width of the network", { default: 32, least: 1 }),
    epochs: option.integer("steps of training", { default: 1000, least: 1 }),
    learningRate: option.number("step of Adam", { default: 0.01, above: 0 }),
    lambda: option.number("weight of the local term, falling to a tenth; default 0.1, 0 for none", { least: 0 }),
    tolerance: option.number("tolerance of the solver", { default: 1e-5, above: 0, below: 1 }),
    stretch: option.integer("rows that are solved in one go; 0 for all", { default: 10, least: 0 }),
    ...seedOption,
    output: option.fileOut("file for the network (safetensors)", { short: "o" }),
    plot: option.fileOut("file for a picture of series and fit (SVG)", { endings: [".svg"] }),
    ...stateOptions,
  },
  async run({ options, print, report, write, longRun }) {
    const { adjoint, hidden, epochs, tolerance, stretch, seed } = options;
    const { mode = "unbiased", regularize = "error", samples = 1, lambda = 0.1 } = options;
    checkPenalty(options);
    const series = await readTimeSeries(options);
    const { names, times, values } = series;
    print(`${times.length} rows, ${names.length} series: ${names.join(", ")}`);
    const dynamics = seriesDynamics({ times, values, hidden, stretch });
    const run = await longRun<TrainingRecord, TrainingState<RateNetwork>>({
      progress: ({ step, loss }) => ({ fraction: step / epochs, label: `step ${step}, loss ${loss.toPrecision(4)}` }),
    });
    const result = await fitLocally(dynamics.model, dynamics.init(random.rng(seed)), dynamics.batches, {
      ...dynamics.solving,
      ...{ mode, regularize, samples, adjoint, tolerance, lambda: [lambda, lambda / 10], epochs, seed },
      optimizer: adam({ learningRate: options.learningRate }),
      ...run.options,
    });
    await run.settle(result);
    const course = dynamics.course(result.params, tolerance);
    const [first, last] = [result.history[0], result.history.at(-1)];
    report([
      ["loss of the first step", first?.loss ?? "none"],
      ["of the last step", last?.loss ?? "none"],
      ["evaluations of a solve, first and last", `${first?.figures?.evaluations}, ${last?.figures?.evaluations}`],
      ["evaluations for the whole series", course.evaluations],
      ["root mean square error from the first row on", Math.sqrt(mean(square(sub(course.values, values))).item())],
    ]);
    await write(options.plot, plotTimeSeries(series, course.values));
    await write(options.output, writeSafetensors({ ...result.params, ...dynamics.scaling }));
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
