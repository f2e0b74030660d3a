import { type RunOptions, type RunState, runOptionNames } from "@offprint/solvers";
import {
  type Backend,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import type { InnerOptions } from "./inner-solvers.js";
import { type RateSchedule, scheduleFactor } from "./rate-schedule.js";
import type { SsoPlace, SsoRecord } from "./sso-step.js";
import type { BatchChoice } from "./target-data.js";
import { type Metric, remembersExamples } from "./target-metric.js";

/** What a run of `sso` goes on from: a tree that `tree.toJson` keeps. */
export type SsoState<P = unknown> = RunState<SsoPlace<P>, SsoRecord>;

/** Options that concern one surrogate and how it is minimised. */
export interface SurrogateOptions {
  /** eta_0 > 0, or `theory`: 1 / smoothness. */
  eta: number | "theory";
  /** L of the oracle's loss; `theory` needs it. */
  smoothness?: number;
  /** How eta falls. Default `constant`. */
  schedule?: RateSchedule;
  /** How the surrogate is minimised. */
  inner?: InnerOptions;
  /** How distances between outputs are measured. Default `euclidean`. */
  metric?: Metric;
  /** Sufficient decrease of the line search in target space (metric `armijo`). Default 0.5. */
  c?: number;
  /** Added to the curvature (metric `newton`), >= 0. Default 1e-5. */
  newtonGuard?: number;
  /** Allows the metric `adam`, whose D can be negative. Default false. */
  experimental?: boolean;
  /** Compiles the inner steps of models that are not linear. Default: the compiler of tensor-core. */
  backend?: Backend;
}

/** Names of {@link SurrogateOptions}. */
export const surrogateOptionNames = [
  "eta",
  "smoothness",
  "schedule",
  "inner",
  "metric",
  "c",
  "newtonGuard",
  "experimental",
  "backend",
] as const satisfies readonly (keyof SurrogateOptions)[];

/** Options of `majorizeMinimize`. */
export interface MajorizeOptions<P = unknown> extends SurrogateOptions, RunOptions<SsoRecord, SsoState<P>> {
  /** T: outer steps, an integer >= 1; each is one expensive call. */
  steps: number;
  /** Ends when the norm of the gradient is at most this, >= 0; full batches only. Default: never. */
  tolerance?: number;
}

/** Options of `sso`. */
export interface SsoOptions<P = unknown> extends MajorizeOptions<P> {
  /** Examples of a step: a number, `full`, or the rows of every step. Default `full`. */
  batch?: BatchChoice;
  /** Leaves the last, smaller batch of a pass out; of a `batch` that is a number. Default true. */
  dropLast?: boolean;
  /** Whether the proximal term has the rows of the batch, or all. Default `batch`. */
  prox?: "batch" | "full";
  /** Source of the order of batches of a number of examples. Default 0. */
  seed?: number | string;
}

/** Names of the options of `sso`. */
export const ssoOptionNames: readonly string[] = [
  ...surrogateOptionNames,
  "steps",
  "tolerance",
  "batch",
  "dropLast",
  "prox",
  "seed",
  ...runOptionNames,
];

/**
 * Checks what `SurrogateOptions` says.
 * @returns eta_0.
 * @throws ValueError for an option out of range, or for `theory` without smoothness.
 */
export function checkSurrogateOptions(owner: string, options: SurrogateOptions): number {
  requireObject(owner, "options", options, "an object with eta");
  const { eta, smoothness, schedule = "constant", metric = "euclidean", c = 0.5, newtonGuard = 1e-5 } = options;
  scheduleFactor(schedule, 0, 1);
  requireChoice(owner, "experimental", options.experimental, [true, false]);
  checkMetric(owner, metric, options.experimental);
  for (const [name, own] of [
    ["c", "armijo"],
    ["newtonGuard", "newton"],
  ] as const) {
    if (options[name] !== undefined && metric !== own)
      throw new ValueError(`${owner}: ${name} is of the metric "${own}", and this is "${metric}"; leave it out`);
  }
  if (!(c > 0 && c < 1)) throw new ValueError(`${owner}: c is ${c}; it must be in (0, 1)`);
  requireNonNegative(owner, "newtonGuard", newtonGuard);
  if (smoothness !== undefined) requirePositive(owner, "smoothness", smoothness);
  if (eta === "theory") {
    if (smoothness !== undefined) return 1 / smoothness;
    throw new ValueError(
      `${owner}: eta is "theory" and smoothness is not given; give the loss's constant L > 0, or estimate it with estimateSmoothness`,
    );
  }
  if (typeof eta !== "number" || !(eta > 0 && Number.isFinite(eta)))
    throw new ValueError(`${owner}: eta is ${String(eta)}; it must be a finite number > 0 or "theory"`);
  return eta;
}

const metrics: readonly Metric[] = ["euclidean", "armijo", "adagrad", "adagrad-diag", "newton", "adam", "kl"];

function checkMetric(owner: string, metric: Metric, experimental = false): void {
  if (!metrics.includes(metric))
    throw new ValueError(`${owner}: there is no metric ${String(metric)}; take one of ${metrics.join(", ")}`);
  if (metric === "adam" && !experimental) {
    throw new ValueError(
      `${owner}: the metric "adam" can make the surrogate unbounded below; set experimental to take it all the same`,
    );
  }
}

/** @throws ValueError for options of a run that are out of range, or do not go together. */
export function checkRun(owner: string, options: Omit<SsoOptions, keyof RunOptions<unknown, unknown>>): void {
  const { steps, tolerance, batch = "full", prox = "batch", metric = "euclidean" } = options;
  requireInteger(owner, "steps", steps, 1);
  if (prox !== "batch" && prox !== "full")
    throw new ValueError(`${owner}: prox is ${String(prox)}; it must be "batch" or "full"`);
  const diagonal = remembersExamples(metric) || metric === "newton" || metric === "kl";
  if (diagonal && prox === "full" && batch !== "full") {
    throw new ValueError(
      `${owner}: prox "full" needs one step size for all examples; the metric ${metric} has one for each`,
    );
  }
  if (tolerance !== undefined && !(tolerance >= 0 && batch === "full"))
    throw new ValueError(`${owner}: tolerance is ${tolerance}; it must be >= 0, and needs the batch "full"`);
}
