import { abs, cast, isTensor, max, ShapeError, scan, sub, type Tensor, take, where } from "@offprint/tensor-core";
import { moved } from "./motion.js";
import type { TrainingData } from "./training-options.js";
import { TRAINING, type TrainingSettings } from "./training-settings.js";
import type { SwarmModel } from "./tree-model.js";
import { weighed } from "./weighing.js";

/** @internal Between two steps. */
export interface TrainingSwarm {
  /** `[N, P]`. */
  readonly particles: Tensor;
  /** The last consensus, `[P]`. */
  readonly consensus: Tensor;
}

/** @internal What the steps of a run are given, stacked along axis 0. */
export interface TurnInput {
  /** The particles that decide, `[steps, batchParticles]`. */
  readonly rows: Tensor;
  /** Which particles move, `[steps, N, 1]`; absent: all. */
  readonly movers?: Tensor;
  /** `[steps, N, P]`. */
  readonly normals: Tensor;
  /** False for steps that are not to be made, `[steps]`. */
  readonly active: Tensor;
}

/** @internal sigma sqrt(dt) and alpha, `[]`. */
export interface EpochInput {
  readonly scale: Tensor;
  readonly alpha: Tensor;
}

/** @internal Of each step, `[steps]`. */
export interface TurnOutput {
  /** How far the consensus has moved, in the coordinate where it moved most. */
  readonly change: Tensor;
  /** Mean loss under the weights of the consensus. */
  readonly energy: Tensor;
}

/**
 * @internal Steps on one batch of data, one batch of particles after the other: losses, consensus, and the move of the
 * swarm. One compiled function.
 */
export function turnsOf(model: SwarmModel<TrainingData>, { motion, dtype }: TrainingSettings) {
  return (swarm: TrainingSwarm, batch: TrainingData, { scale, alpha }: EpochInput, turns: TurnInput) =>
    scan(
      (before: TrainingSwarm, { rows, movers, normals, active }: TurnInput): [TrainingSwarm, TurnOutput] => {
        const deciding = take(before.particles, rows);
        const { consensus, energy } = weighed(lossesOf(model, deciding, batch), deciding, alpha);
        const next = moved(motion, before.particles, consensus, normals, scale);
        const own = movers === undefined ? next : where(movers, next, before.particles);
        const after = {
          particles: cast(where(active, own, before.particles), dtype),
          consensus: where(active, consensus, before.consensus),
        };
        return [after, { change: max(abs(sub(consensus, before.consensus))), energy }];
      },
      swarm,
      turns,
    );
}

/** @internal The losses of particles on a batch, `[n]`. */
export function lossesOf(model: SwarmModel<TrainingData>, theta: Tensor, batch: TrainingData): Tensor {
  const losses = model.loss(theta, batch);
  const n = theta.shape[0];
  if (isTensor(losses) && losses.rank === 1 && losses.shape[0] === n) return losses;
  throw new ShapeError(
    `${TRAINING}: loss returned ${isTensor(losses) ? `shape [${losses.shape}]` : "no tensor"} for ${n} particles; it must return one loss each, [${n}]`,
  );
}
