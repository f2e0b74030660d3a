import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import { commonPlan } from "./common-options.js";
import { type FederatedOptions, type FederatedResult, federatedRun, type Shared } from "./federated-run.js";
import type { ActiveSettings, ClientAnswer, SurrogateEstimator } from "./messages.js";
import type { FederatedProblem } from "./problem.js";
import { type KernelName, kernelNames } from "./trajectory-surrogate.js";

/** Queries around a point. */
export interface ActiveOptions {
  /** Places asked, an integer >= 0. */
  readonly count?: number;
  /** Places drawn to choose from, an integer >= count. */
  readonly candidates?: number;
  /** Half the side of the cube in which they lie, > 0, in parts of the box; `"auto"`, at the end of a round: half the mean distance gone. */
  readonly radius?: number | "auto";
}

/** Options of {@link fzoos}. */
export interface FzoosOptions extends FederatedOptions {
  /**
   * gamma: weight of the correction. 1 (default) follows the global surrogate as far as it goes; `"decay"` is the
   * authors' 1 / (t + 1) in local step t; or a function of round and step, both from 0.
   */
  readonly gamma?: number | "decay" | ((round: number, step: number) => number);
  /**
   * How clients learn of each other: by weights of random features (`"features"`, default), by their queries (`"posterior"`,
   * exact but not private), or not (`"none"`).
   */
  readonly correction?: "features" | "posterior" | "none";
  /** Kernel of the local process: `"matern"` of smoothness 5/2 (default) or `"squaredExponential"`. */
  readonly kernel?: KernelName;
  /** Its length scale, > 0 (default 1), in parts of the box, or `"evidence"`: the most likely one, found once a round. */
  readonly length?: number | "evidence";
  /** Variance of values over their range squared (default 1e-6), or the deviation of their noise. */
  readonly noise?: number | { readonly deviation: number };
  /** M: random features, an integer >= 1. Default 1000. */
  readonly features?: number;
  /** Length scale of the features, > 0. Default 1. */
  readonly featureLength?: number;
  /** Nearest queries that a local process is made of, an integer >= 1. Default 150. */
  readonly maxLocalQueries?: number;
  /** Nearest queries that the features are fitted to, an integer >= 1. Default 500. */
  readonly maxFeatureQueries?: number;
  /** Queries around the start, an integer >= 0. Default 10. */
  readonly initialQueries?: number;
  /** Active queries after a local step (default 5 of 100 within 0.01) and after a round (default 50 of 200, `"auto"`). */
  readonly active?: {
    /** After every local step but the last. */
    readonly local?: ActiveOptions;
    /** At the end of a round. */
    readonly server?: ActiveOptions;
    /** Where the surrogate knows least (`"uncertain"`, default), or anywhere (`"random"`). */
    readonly choice?: "uncertain" | "random";
  };
}

const optionNames = [
  "gamma",
  "correction",
  "kernel",
  "length",
  "noise",
  "features",
  "featureLength",
  "maxLocalQueries",
  "maxFeatureQueries",
  "initialQueries",
  "active",
];

/**
 * Federated zeroth-order optimisation with trajectory-informed surrogate gradients (FZooS): clients minimise the mean of their
 * black boxes without sharing them. Each fits a Gaussian process to all queries it has made, follows its gradient, and
 * corrects itself by the global surrogate: M averaged weights of random features, evaluated wherever it is.
 * With one client it is ZoRD.
 *
 * @throws ValueError, ShapeError for options and problems out of range; NonFiniteError, with the last good state, where a
 * black box gives NaN or an infinite value.
 * @see https://arxiv.org/abs/2308.04077
 * @example
 * ```ts
 * import { fzoos } from "@offprint/fzoos";
 *
 * const clients = [0.2, 0.5, 0.6].map((c) => (x: Float64Array) => x.reduce((sum, v) => sum + (v - c) ** 2, 0));
 * const { x, queries } = await fzoos({ clients, dimension: 4, bounds: [0, 1] }, { maxIterations: 5 });
 * console.log(String(x), queries);
 * ```
 */
export async function fzoos(problem: FederatedProblem, options: FzoosOptions = {}): Promise<FederatedResult> {
  requireObject("fzoos", "problem", problem, "{ clients }");
  const owner = "fzoos";
  const common = commonPlan(owner, problem, options, optionNames, () => estimatorOf(owner, options));
  const estimator = common.settings.estimator as SurrogateEstimator;
  const { localSteps } = common.settings;
  const { shares } = common.problem;
  const shared = (_: readonly ClientAnswer[], reports: readonly ClientAnswer[]): Shared | null => {
    if (estimator.correction === "none") return null;
    if (estimator.correction === "posterior") {
      return { kind: "posterior", trajectories: reports.map(({ trajectory }) => trajectory!) };
    }
    const weights = new Float64Array(estimator.features);
    reports.forEach((report, i) => {
      report.weights!.forEach((w, m) => {
        weights[m] += shares[i] * w;
      });
    });
    return { kind: "features", weights };
  };
  const { local, server } = estimator;
  return federatedRun(
    {
      ...common,
      queriesPerRound: 1 + localSteps + local.count * (localSteps - 1) + 1 + server.count,
      gammas: gammasOf(owner, options.gamma ?? 1, localSteps),
      reports: "after",
      shared,
      always: null,
    },
    options,
  );
}

function gammasOf(owner: string, gamma: NonNullable<FzoosOptions["gamma"]>, steps: number) {
  if (typeof gamma === "number") requireNonNegative(owner, "gamma", gamma);
  else if (gamma !== "decay" && typeof gamma !== "function") {
    throw new ValueError(`${owner}: gamma is ${String(gamma)}; give a number >= 0, "decay", or a function`);
  }
  return (round: number): Float64Array =>
    Float64Array.from({ length: steps }, (_, t) => {
      const weight = typeof gamma === "number" ? gamma : gamma === "decay" ? 1 / (t + 1) : gamma(round, t);
      requireNonNegative(owner, `gamma(${round}, ${t})`, weight);
      return weight;
    });
}

function estimatorOf(owner: string, options: FzoosOptions): SurrogateEstimator {
  const { correction = "features", kernel = "matern", length = 1, noise = 1e-6 } = options;
  const { features = 1000, featureLength = 1, initialQueries = 10, active = {} } = options;
  const { maxLocalQueries = 150, maxFeatureQueries = 500 } = options;
  requireChoice(owner, "correction", correction, ["features", "posterior", "none"]);
  requireChoice(owner, "kernel", kernel, kernelNames);
  if (length !== "evidence") requirePositive(owner, "length", length);
  if (typeof noise === "number") requireNonNegative(owner, "noise", noise);
  else requireNonNegative(owner, "noise.deviation", noise?.deviation);
  requireInteger(owner, "features", features, 1);
  requirePositive(owner, "featureLength", featureLength);
  requireInteger(owner, "maxLocalQueries", maxLocalQueries, 1);
  requireInteger(owner, "maxFeatureQueries", maxFeatureQueries, 1);
  requireInteger(owner, "initialQueries", initialQueries, 0);
  checkOptions(`${owner}: active`, active, ["local", "server", "choice"]);
  const { choice = "uncertain" } = active;
  requireChoice(owner, "active.choice", choice, ["uncertain", "random"]);
  const local = activeOf(owner, "active.local", active.local, { count: 5, candidates: 100, radius: 0.01 });
  if (local.radius === "auto") throw new ValueError(`${owner}: active.local.radius is "auto"; give a number > 0`);
  const server = activeOf(owner, "active.server", active.server, { count: 50, candidates: 200, radius: "auto" });
  return {
    ...{ kind: "surrogate", kernel, length, noise, maxLocalQueries, maxFeatureQueries, initialQueries },
    ...{ features, featureLength, local, server, choice, correction },
  };
}

function activeOf(owner: string, name: string, given: ActiveOptions = {}, defaults: ActiveSettings): ActiveSettings {
  checkOptions(`${owner}: ${name}`, given, ["count", "candidates", "radius"]);
  const { count, candidates, radius } = {
    ...defaults,
    ...(given.count !== undefined && { candidates: Math.max(defaults.candidates, given.count) }),
    ...given,
  };
  requireInteger(owner, `${name}.count`, count, 0);
  requireInteger(owner, `${name}.candidates`, candidates, Math.max(1, count));
  if (radius !== "auto") requirePositive(owner, `${name}.radius`, radius);
  return { count, candidates, radius };
}
