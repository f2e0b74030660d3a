import { hostTensor, requireInteger, requirePositive, type TensorLike } from "@offprint/tensor-core";
import { type CboProblem, perCoordinate, readTensor, settleProblem } from "./problem.js";
import { runSwarm } from "./run-swarm.js";
import type { SwarmOptions, SwarmResult } from "./swarm-options.js";
import { firstParticles, swarmSettings } from "./swarm-settings.js";

/** Options of `consensusHopping`. */
export interface HoppingOptions extends SwarmOptions {
  /** Where the first samples are centred, `[d]` or a number. */
  x0: TensorLike;
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
 * const { x } = await consensusHopping({ objective: { perParticle: bowl } }, { x0: [3, 1], width: 0.3, alpha: 20 });
 * console.log(String(x)); // near [0, 0]
 * ```
 */
export async function consensusHopping(problem: CboProblem, options: HoppingOptions): Promise<SwarmResult> {
  const owner = "consensusHopping";
  const x0 = readTensor(owner, "x0", options.x0);
  const settled = settleProblem(owner, problem, [x0, options.resume?.particles]);
  const d = settled.dimension;
  const centre = perCoordinate(owner, "x0", x0, d);
  const settings = swarmSettings(owner, options, d);
  const { n } = settings;
  const { width } = options;
  requirePositive(owner, "width", width);
  const { everySteps, factor } = scheduleOf(options.schedule ?? "constant");
  requireInteger(owner, "schedule.everySteps", everySteps, 1);
  requirePositive(owner, "schedule.factor", factor);
  const fresh = () => {
    const z = settings.normals(0);
    const values = Float64Array.from({ length: n * d }, (_, i) => centre[i % d] + width * z[i]);
    return hostTensor(values, [n, d], "float64");
  };
  const plan = {
    ...{ owner, problem: settled, n, d, dtype: settings.dtype, steps: settings.steps, batches: undefined, descent: 0 },
    ...firstParticles(owner, settled, settings, options.resume, fresh),
    motion: { drift: 1, noise: "constant", noiseAt: "pre" } as const,
    scaleAt: (k: number) => width * factor ** Math.floor(k / everySteps),
    alphaAt: () => settings.alpha,
    normalsAt: settings.normals,
  };
  return runSwarm(plan, options, []);
}

function scheduleOf(schedule: NonNullable<HoppingOptions["schedule"]>): { everySteps: number; factor: number } {
  if (schedule === "constant") return { everySteps: 1, factor: 1 };
  if (schedule === "vanishing") return { everySteps: 100, factor: 0.98 };
  return schedule;
}
