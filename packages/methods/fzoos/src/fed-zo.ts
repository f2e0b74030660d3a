import { requireChoice, requireInteger, requireObject, requirePositive } from "@offprint/tensor-core";
import { commonPlan } from "./common-options.js";
import { type FederatedOptions, type FederatedResult, federatedRun, type Shared } from "./federated-run.js";
import type { ClientAnswer, DifferenceEstimator } from "./messages.js";
import type { FederatedProblem } from "./problem.js";

/** Options of {@link fedZo}. */
export interface FedZoOptions extends FederatedOptions {
  /**
   * `"none"` (default): FedZO. `"proximal"`: FedProx, which adds the way from the round's start. `"scaffold1"`: SCAFFOLD
   * with gradients at the server's point, which cost q + 1 more queries a round; `"scaffold2"`: with the mean gradients of the last round.
   */
  readonly correction?: "none" | "proximal" | "scaffold1" | "scaffold2";
  /** q: directions of a gradient, an integer from 1 to d. Default 20, or d where that is less. */
  readonly directions?: number;
  /** mu: length of the differences, > 0, in parts of the box. Default 0.01. */
  readonly radius?: number;
}

/**
 * What FZooS is compared with: federated optimisation whose clients estimate each gradient by q + 1 new queries along
 * orthonormal random directions. Rounds, local optimiser and safeguard are the same.
 *
 * @throws as `fzoos`.
 * @example
 * ```ts
 * import { fedZo } from "@offprint/fzoos";
 *
 * const clients = [0.2, 0.5, 0.6].map((c) => (x: Float64Array) => x.reduce((sum, v) => sum + (v - c) ** 2, 0));
 * const { x, queries } = await fedZo({ clients, dimension: 4 }, { maxIterations: 5, correction: "scaffold1" });
 * console.log(String(x), queries);
 * ```
 */
export async function fedZo(problem: FederatedProblem, options: FedZoOptions = {}): Promise<FederatedResult> {
  requireObject("fedZo", "problem", problem, "{ clients }");
  const owner = "fedZo";
  const { correction = "none", radius = 0.01 } = options;
  const estimator = (d: number): DifferenceEstimator => {
    const { directions = Math.min(20, d) } = options;
    requireChoice(owner, "correction", correction, ["none", "proximal", "scaffold1", "scaffold2"]);
    requireInteger(owner, "directions", directions, 1, d);
    requirePositive(owner, "radius", radius);
    return { kind: "differences", directions, radius };
  };
  const common = commonPlan(owner, problem, options, ["correction", "directions", "radius"], estimator);
  const { shares } = common.problem;
  const { localSteps, estimator: settled } = common.settings;
  const { directions } = settled as DifferenceEstimator;
  const asksAtServer = correction === "scaffold1";
  /** Of each client, the mean of all estimates less its own. */
  const shared = (answers: readonly ClientAnswer[], looked: readonly ClientAnswer[]): Shared | null => {
    if (correction !== "scaffold1" && correction !== "scaffold2") return null;
    const estimates = (asksAtServer ? looked : answers).map(({ estimate }) => estimate!);
    const mean = estimates[0].map((_, k) => estimates.reduce((sum, estimate, i) => sum + shares[i] * estimate[k], 0));
    return { kind: "constant", vectors: estimates.map((estimate) => mean.map((m, k) => m - estimate[k])) };
  };
  return federatedRun(
    {
      ...common,
      queriesPerRound: (localSteps + (asksAtServer ? 1 : 0)) * (directions + 1),
      gammas: () => new Float64Array(localSteps).fill(1),
      reports: asksAtServer ? "before" : "never",
      shared,
      always: correction === "proximal" ? { kind: "proximal" } : null,
    },
    options,
  );
}
