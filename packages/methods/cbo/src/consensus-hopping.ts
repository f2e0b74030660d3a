import { runOptionNames } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  hostTensor,
  requireInteger,
  requirePositive,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { unitFor } from "./motion.js";
import { type CboProblem, feasible, perCoordinate, readTensor, requireGiven, settleProblem } from "./problem.js";
import { runSwarm } from "./run-swarm.js";
import { type SwarmOptions, type SwarmResult, swarmOptionNames } from "./swarm-options.js";
import type { SwarmPlan } from "./swarm-plan.js";
import { swarmSettings } from "./swarm-settings.js";

/** Options of `consensusHopping`. */
export interface HoppingOptions extends SwarmOptions {
  /** Where the first samples are centred, `[d]` or a number. */
  initial: TensorLike;
  /**
   * Standard deviation s of the samples around the consensus, > 0. It must exceed the distance between neighbouring
   * basins to hop across; the accuracy in the end is about s / sqrt(nEff).
   */
  width: number;
  /** "vanishing": the width shrinks to 0.98 of itself every 100 hops, or by a factor of your own. Default "constant". */
  schedule?:
    | "constant"
    | "vanishing"
    | {
        /** Hops between two changes, >= 1. */
        everySteps: number;
        /** What the width is multiplied by, > 0. */
        factor: number;
      };
}

/**
 * Consensus hopping: sample around the consensus, take the consensus of the samples, and so on. It is `cbo` with
 * lambda dt = 1 and noise of a fixed width; one hop is a smoothed, implicit gradient step of length `alpha width^2`.
 * @throws as `cbo`
 * @see https://arxiv.org/abs/2306.09778
 * @example
 * ```ts
 * import { consensusHopping } from "@offprint/cbo";
 *
 * const bowl = (v: Float64Array) => v[0] ** 2 + 3 * v[1] ** 2;
 * const { x } = await consensusHopping({ objective: { perParticle: bowl } }, { initial: [3, 1], width: 0.3, alpha: 20 });
 * console.log(String(x)); // near [0, 0]
 * ```
 */
export async function consensusHopping(problem: CboProblem, options: HoppingOptions): Promise<SwarmResult> {
  const owner = "consensusHopping";
  requireGiven(owner, options, ["initial", "width"]);
  checkOptions(owner, options, ["initial", "width", "schedule", ...swarmOptionNames, ...runOptionNames]);
  const initial = readTensor(owner, "initial", options.initial);
  const settled = settleProblem(owner, problem, { initial, "resume.particles": options.resume?.inner?.particles });
  const d = settled.dimension;
  const centre = perCoordinate(owner, "initial", initial, d);
  const settings = swarmSettings(owner, options, d, { particles: 200, alpha: 100, tolerance: undefined });
  const { n, dtype, alpha, normals, ...shared } = settings;
  const { width } = options;
  requirePositive(owner, "width", width);
  const { everySteps, factor } = scheduleOf(owner, options.schedule === undefined ? "constant" : options.schedule);
  requireInteger(owner, "schedule.everySteps", everySteps, 1);
  requirePositive(owner, "schedule.factor", factor);
  const start = () => {
    const z = dtype === "float32" ? new Float32Array(n * d) : new Float64Array(n * d);
    normals(0, z);
    const values = Float64Array.from({ length: n * d }, (_, i) => centre[i % d] + width * z[i]);
    return feasible(settled, asTensor(hostTensor(values, [n, d], "float64"), dtype), owner);
  };
  const plan: SwarmPlan = {
    ...{ ...shared, owner, problem: settled, n, d, dtype, batches: undefined, descent: 0, restarts: 0 },
    startOf: start,
    motion: { drift: 1, noise: "constant", noiseAt: "pre", unit: unitFor([width], dtype) },
    scaleAt: (k) => width * factor ** Math.floor(k / everySteps),
    alphaAt: () => alpha,
    normalsAt: normals,
  };
  return runSwarm(plan, options, []);
}

function scheduleOf(
  owner: string,
  schedule: NonNullable<HoppingOptions["schedule"]>,
): { everySteps: number; factor: number } {
  if (schedule === "constant") return { everySteps: 1, factor: 1 };
  if (schedule === "vanishing") return { everySteps: 100, factor: 0.98 };
  if (typeof schedule !== "object") {
    throw new ValueError(
      `${owner}: schedule is "${String(schedule)}"; give "constant", "vanishing" or { everySteps, factor }`,
    );
  }
  checkOptions(`${owner}: schedule`, schedule, ["everySteps", "factor"]);
  return schedule;
}
