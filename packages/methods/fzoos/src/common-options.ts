import { runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import type { FederatedOptions, FederatedPlan } from "./federated-run.js";
import type { ClientSettings } from "./messages.js";
import { type FederatedProblem, settledProblem } from "./problem.js";

const optionNames = [
  "maxIterations",
  "localSteps",
  "optimizer",
  "globalStep",
  "safeguard",
  "target",
  "maxQueries",
  "seed",
  ...runOptionNames,
] as const;

/** @internal What all federated methods have in common, checked. */
export function commonPlan(
  owner: string,
  problem: FederatedProblem,
  options: FederatedOptions,
  ownNames: readonly string[],
  estimator: (d: number) => ClientSettings["estimator"],
): Pick<
  FederatedPlan,
  "owner" | "problem" | "settings" | "limit" | "globalStep" | "safeguard" | "target" | "maxQueries"
> {
  checkOptions(owner, options, [...optionNames, ...ownNames]);
  checkOptions(`${owner}: the problem`, problem, ["clients", "initial", "dimension", "bounds", "weights"]);
  const { maxIterations = 50, localSteps = 10, optimizer = { kind: "adam", learningRate: 0.01 } } = options;
  const { globalStep = 1, safeguard = true, target = -Infinity, maxQueries = Infinity, seed = 0 } = options;
  requireInteger(owner, "maxIterations", maxIterations, 1);
  requireInteger(owner, "localSteps", localSteps, 1);
  requirePositive(owner, "globalStep", globalStep);
  requireChoice(owner, "safeguard", safeguard, [true, false]);
  if (typeof target !== "number" || Number.isNaN(target)) {
    throw new ValueError(`${owner}: target is ${target}; give the value at which the run is done`);
  }
  if (maxQueries !== Infinity) requireInteger(owner, "maxQueries", maxQueries, 1);
  checkOptions(`${owner}: optimizer`, optimizer, ["kind", "learningRate", "epsilon"]);
  requireChoice(owner, "optimizer.kind", optimizer.kind ?? null, ["adam", "sgd"]);
  requireNonNegative(owner, "optimizer.learningRate", optimizer.learningRate);
  if (optimizer.epsilon !== undefined) requireNonNegative(owner, "optimizer.epsilon", optimizer.epsilon);
  const settled = settledProblem(owner, problem, seed);
  const { initial, bounds, d } = settled;
  const settings: ClientSettings = { initial, estimator: estimator(d), optimizer, bounds, localSteps, seed };
  return { owner, problem: settled, settings, limit: maxIterations, globalStep, safeguard, target, maxQueries };
}
