import { writeSafetensors } from "@offprint/data";
import { requireFunction, requireObject, sub, type Tensor } from "@offprint/tensor-core";
import type { CommandInput } from "./command.js";
import type { LongRun } from "./long-run.js";
import { option } from "./option.js";
import { seedOption, stateOptions } from "./standard-options.js";
import { plotTimeSeries, readTimeSeries, type TimeSeries, timeSeriesOptions } from "./time-series.js";
import type { Options } from "./words.js";

/** Options of a command that learns the dynamics of series, for {@link learnSeries}; what is penalised is the command's own. */
export const learnSeriesOptions = {
  ...timeSeriesOptions,
  hidden: option.integer("width of the network", { default: 32, least: 1 }),
  steps: option.integer("steps of training", { default: 1000, least: 1 }),
  learningRate: option.number("step of Adam", { default: 0.01, above: 0 }),
  tolerance: option.number("tolerance of the solver", { default: 1e-5, least: 1e-14, below: 1 }),
  stretch: option.integer("rows that are solved in one go; 0 for all", { default: 10, least: 0 }),
  ...seedOption,
  output: option.fileOut("file for the network (safetensors)", { short: "o" }),
  plot: option.fileOut("file for a picture of series and fit (SVG)", { endings: [".svg"] }),
  ...stateOptions,
};

/** Dynamics that can be learnt, as `seriesDynamics` of `@offprint/ode/fit` makes them. */
export interface LearnableDynamics<P> {
  /** The course from the first row on, `[rows, quantities]`, and how often the equation was evaluated for it. */
  course(params: P, tolerance: number): { readonly values: Tensor; readonly evaluations: number };
  /** What belongs to parameters in a file. */
  readonly scaling: Readonly<Record<string, Tensor>>;
}

/** What is told of a step of training. */
export interface LearningRecord {
  /** Its number, from 1. */
  readonly step: number;
  /** The loss. */
  readonly loss: number;
  /** `evaluations` of the equation in it, and more. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** What training gives. */
export interface LearnedSeries<P, R, S> {
  /** The trained parameters. */
  readonly params: P;
  /** The record of every step. */
  readonly history: readonly R[];
  /** How it ended. */
  readonly status: string;
  /** What `--resume` goes on from. */
  readonly state: S;
}

/**
 * Learns the dynamics of series in a table, as a command: reads the table, trains as a long run, reports, writes network and
 * picture. `P` are the parameters, tensors by name.
 * @param dynamicsOf - What is learnt of series, with a network of so many `hidden` units and rows of one `stretch` solved in one go.
 * @param train - Trains it; `run` belongs into the options of whatever does.
 * @throws Failure as `readTimeSeries`.
 */
export async function learnSeries<
  P extends { readonly [name in keyof P]: Tensor },
  D extends LearnableDynamics<P>,
  R extends LearningRecord,
  S,
>(
  input: Pick<CommandInput<Options, typeof learnSeriesOptions>, "options" | "print" | "report" | "write" | "longRun">,
  dynamicsOf: (
    series: Pick<TimeSeries, "times" | "values"> & { readonly hidden: number; readonly stretch: number },
  ) => D,
  train: (dynamics: D, run: LongRun<R, S>["options"]) => Promise<LearnedSeries<P, R, S>>,
): Promise<void> {
  requireObject("learnSeries", "input", input, "what the command was run with");
  requireFunction("learnSeries", "dynamicsOf", dynamicsOf);
  requireFunction("learnSeries", "train", train);
  const { options, print, report, write, longRun } = input;
  const { hidden, stretch, steps, tolerance } = options;
  const series = await readTimeSeries(options);
  const { names, times, values } = series;
  print(`${times.length} rows, ${names.length} series: ${names.join(", ")}`);
  const dynamics = dynamicsOf({ times, values, hidden, stretch });
  const run = await longRun<R, S>({
    progress: ({ step, loss }) => ({ fraction: step / steps, label: `step ${step}, loss ${loss.toPrecision(4)}` }),
  });
  const result = await train(dynamics, run.options);
  await run.settle(result);
  const course = dynamics.course(result.params, tolerance);
  const [first, last] = [result.history[0], result.history.at(-1)];
  report([
    ["loss of the first step", first?.loss ?? "none"],
    ["of the last step", last?.loss ?? "none"],
    ["evaluations of a solve, first and last", `${first?.figures?.["evaluations"]}, ${last?.figures?.["evaluations"]}`],
    ["evaluations for the whole series", course.evaluations],
    ["root mean square error from the first row on", rootMeanSquare(sub(course.values, values))],
  ]);
  await write(options.plot, plotTimeSeries(series, course.values));
  await write(options.output, writeSafetensors({ ...result.params, ...dynamics.scaling }));
}

/** Of numbers whose squares need not be in the range of numbers. */
function rootMeanSquare(x: Tensor): number {
  let length = 0;
  for (const value of x.data()) length = Math.hypot(length, value);
  return length / Math.sqrt(x.size);
}
