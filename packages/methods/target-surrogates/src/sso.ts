import { onHost } from "@offprint/optim";
import { type Loop, runLoop, type Status } from "@offprint/solvers";
import { checkOptions } from "@offprint/tensor-core";
import { checkPlace } from "./resumed-place.js";
import {
  checkRun,
  checkSurrogateOptions,
  type MajorizeOptions,
  type SsoOptions,
  type SsoState,
  ssoOptionNames,
} from "./sso-options.js";
import { type SsoPlace, type SsoRecord, SsoStep } from "./sso-step.js";
import { TargetBatches, type TargetData } from "./target-data.js";
import { checkModel, type TargetModel } from "./target-model.js";
import { checkOracle, type TargetOracle } from "./target-oracle.js";

/** What `sso` and `majorizeMinimize` give. */
export interface SsoResult<P = unknown> {
  /** Parameters after the last step, in memory. */
  readonly params: P;
  /** Steps made, those of the resumed run included. */
  readonly steps: number;
  /** The record of each of them. */
  readonly history: readonly SsoRecord[];
  /** `converged` where the gradient was small enough; `limit` after `steps`; `stopped`; `aborted`. */
  readonly status: Status;
  /** To go on from. */
  readonly state: SsoState<P>;
}

/**
 * Stochastic surrogate optimisation: one expensive gradient with respect to the model's *outputs*, then many cheap
 * parameter steps on the surrogate that it defines. With one inner step of a fixed length it is SGD.
 *
 * @throws ValueError for options out of range; ShapeError for shapes; NonFiniteError, with the last good state, where the
 * oracle or the model gives what is not finite.
 * @see https://arxiv.org/abs/2302.02607
 */
export function sso<P, X>(
  model: TargetModel<P, X>,
  data: TargetData<X>,
  oracle: TargetOracle,
  options: SsoOptions<P>,
): Promise<SsoResult<P>> {
  return run<P>("sso", model as TargetModel<P>, data, oracle, options, ssoOptionNames);
}

/**
 * The deterministic form: every surrogate is made of all examples. With eta <= 1/L it is a bound of the loss, and the loss
 * never rises, whatever solves the surrogate.
 */
export function majorizeMinimize<P, X>(
  model: TargetModel<P, X>,
  data: TargetData<X>,
  oracle: TargetOracle,
  options: MajorizeOptions<P>,
): Promise<SsoResult<P>> {
  const names = ssoOptionNames.filter((name) => !["batch", "dropLast", "prox", "seed"].includes(name));
  return run<P>("majorizeMinimize", model as TargetModel<P>, data, oracle, options, names);
}

async function run<P>(
  owner: string,
  model: TargetModel<P>,
  data: TargetData,
  oracle: TargetOracle,
  options: SsoOptions<P>,
  names: readonly string[],
): Promise<SsoResult<P>> {
  checkOptions(owner, options, names);
  checkModel(owner, model);
  checkOracle(owner, oracle);
  const eta0 = checkSurrogateOptions(owner, options);
  checkRun(owner, options);
  const { steps, tolerance, batch = "full", prox = "batch", seed, dropLast, signal } = options;
  const batches = new TargetBatches(owner, data, batch, seed, dropLast);
  const step = new SsoStep(owner, model, options, eta0);
  const loop: Loop<SsoPlace<P>, SsoRecord> = {
    owner,
    limit: steps,
    limitName: "steps",
    initial: () => step.start(),
    step: (place) =>
      step.from(place, oracle, {
        batch: batches.at(place.step),
        ...(prox === "full" && batch !== "full" && { all: batches.all() }),
        examples: batches.size,
        steps,
        tolerance,
        signal,
      }),
    count: (place) => place.step,
    record: ({ record }) => record ?? undefined,
    finished: ({ gradientNorm }) => (tolerance !== undefined && gradientNorm <= tolerance ? "converged" : undefined),
    snapshot: async (place) => ({ ...place, params: await onHost(place.params) }),
    check: (place) => checkPlace(owner, place, model.params, options.metric, batches.size),
  };
  try {
    const { last, iterations, history, status, state } = await runLoop(loop, options);
    return { params: last.params, steps: iterations, history, status, state };
  } finally {
    await step.release();
  }
}
