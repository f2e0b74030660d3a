import { type Backend, ValueError } from "@offprint/tensor-core";
import type { InnerOptions } from "./inner-solvers.js";
import type { RateSchedule } from "./rate-schedule.js";
import type { SsoRecord, SsoState } from "./sso.js";
import type { BatchChoice } from "./target-data.js";
import { type Metric, remembersExamples } from "./target-metric.js";

/** Options of `sso` and `majorizeMinimize`. */
export interface SsoOptions {
  /** eta_0 > 0, or `theory`: 1 / smoothness. */
  eta: number | "theory";
  /** L of the oracle's loss; `theory` needs it. */
  smoothness?: number;
  /** How eta falls. Default `constant`. */
  schedule?: RateSchedule;
  /** T: outer steps, an integer >= 1; each is one expensive call. */
  steps: number;
  /** How the surrogate is minimised. */
  inner?: InnerOptions;
  /** Examples of a step: a number, `full`, or the rows of every step. Default `full`. */
  batch?: BatchChoice;
  /** Leaves the last, smaller batch of a pass out. Default true. */
  dropLast?: boolean;
  /** Whether the proximal term has the rows of the batch, or all. Default `batch`. */
  prox?: "batch" | "full";
  /** How distances between outputs are measured. Default `euclidean`. */
  metric?: Metric;
  /** Sufficient decrease of the line search in target space (metric `armijo`). Default 0.5. */
  c?: number;
  /** Added to the curvature (metric `newton`), >= 0. Default 1e-5. */
  newtonGuard?: number;
  /** Allows the metric `adam`, whose D can be negative. Default false. */
  experimental?: boolean;
  /** Ends when the norm of the gradient is at most this; full batches only. Default: never. */
  tol?: number;
  /** Source of the batches' order. Default 0. */
  seed?: number | string;
  /** Compiles the inner steps of models that are not linear. */
  backend?: Backend;
  /** Called, and awaited, after each outer step, with the parameters after it; `"stop"` ends the run. */
  onProgress?: (record: SsoRecord, params: any) => unknown;
  /** Ends the run before the next outer step. */
  signal?: AbortSignal;
  /** A state to go on from. */
  resume?: SsoState;
}

/**
 * eta_0.
 * @throws ValueError for an eta that is none, or for `theory` without smoothness.
 */
export function initialEta({ eta, smoothness }: SsoOptions): number {
  if (eta === "theory") {
    if (smoothness === undefined || !(smoothness > 0 && Number.isFinite(smoothness))) {
      throw new ValueError(
        `sso: eta is "theory" and smoothness ${smoothness}; give the loss's constant L > 0, or estimate it with estimateSmoothness`,
      );
    }
    return 1 / smoothness;
  }
  if (!(eta > 0 && Number.isFinite(eta)))
    throw new ValueError(`sso: eta is ${eta}; it must be a finite number > 0 or "theory"`);
  return eta;
}

const metrics: readonly Metric[] = ["euclidean", "armijo", "adagrad", "adagrad-diag", "newton", "adam", "kl"];

/** @throws ValueError for an unknown metric, or one that does not go with the other options. */
export function checkMetric(metric: Metric, options: SsoOptions): void {
  if (!metrics.includes(metric))
    throw new ValueError(`sso: there is no metric ${String(metric)}; take one of ${metrics.join(", ")}`);
  if (metric === "adam" && !options.experimental) {
    throw new ValueError(
      'sso: the metric "adam" can make the surrogate unbounded below; set experimental to take it all the same',
    );
  }
  const diagonal = remembersExamples(metric) || metric === "newton" || metric === "kl";
  if (diagonal && options.prox === "full" && options.batch !== "full") {
    throw new ValueError(
      `sso: prox "full" needs one step size for all examples; the metric ${metric} has one for each`,
    );
  }
}
