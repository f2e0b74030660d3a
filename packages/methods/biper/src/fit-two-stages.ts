import { ValueError } from "@offprint/tensor-core";
import {
  type EpochRecord,
  type FitStageOptions,
  fitStage,
  type SharedFitOptions,
  type StageCheckpoint,
} from "./fit-stage.js";
import type { NetworkPart } from "./network-part.js";
import type { StageOptions } from "./stage-options.js";
import type { TrainedNetwork } from "./trained-network.js";
import type { TrainingData } from "./training-data.js";

/** Where a training in two stages stands. */
export interface FitCheckpoint extends StageCheckpoint {
  /** What stage 1 gave, once stage 2 has begun. */
  readonly first: { readonly params: any; readonly state: any; readonly history: readonly EpochRecord[] } | null;
}

/** Options of `fit`. */
export interface FitOptions extends SharedFitOptions {
  /** With weights `sin(omega w)`. */
  stage1: StageOptions;
  /** With binary weights, from what stage 1 gave. */
  stage2: StageOptions;
  /** Called with the state after every epoch and awaited. */
  onCheckpoint?: (checkpoint: FitCheckpoint) => unknown;
  /** State to go on from, bit by bit as if there had been no interruption. */
  resume?: FitCheckpoint;
}

/** What training in two stages gives. */
export interface FitResult<P = any, S = any> {
  /** The binary network; of stage 1 where the signal stopped that. */
  readonly trained: TrainedNetwork<P, S>;
  /** What stage 1 gave, with real weights. */
  readonly stage1: TrainedNetwork<P, S>;
  /** Every epoch of both stages. */
  readonly history: readonly EpochRecord[];
  /** Both stages made, or stopped by the signal. */
  readonly status: "completed" | "aborted";
  /** State from which training can go on. */
  readonly checkpoint: FitCheckpoint;
}

/**
 * BiPer's training: stage 1 learns binary activations with weights `sin(omega w)`, stage 2 goes on from its best epoch with
 * the square wave of the same frequency, a fresh optimizer and a lower learning rate.
 * @throws ValueError for options out of range; NonFiniteError when training diverges.
 * @see Vargas et al., CVPR 2024, section 3.4
 */
export async function fitTwoStages<P, S>(
  network: NetworkPart<P, S>,
  data: TrainingData,
  options: FitOptions,
): Promise<FitResult<P, S>> {
  const { stage1, stage2, resume, onCheckpoint, ...shared } = options;
  if (stage1 === undefined || stage2 === undefined) {
    throw new ValueError("fitTwoStages: options lack stage1 or stage2; give both, or call fitStage for one");
  }
  let first = resume?.first ?? null;
  if (first === null) {
    const made = await fitStage(network, data, {
      ...shared,
      ...stage1,
      stage: 1,
      ...(onCheckpoint && { onCheckpoint: (c: StageCheckpoint) => onCheckpoint({ ...c, first: null }) }),
      ...(resume && { resume }),
    });
    const { trained, history, status, checkpoint } = made;
    if (status === "aborted") {
      return { trained, stage1: trained, history, status, checkpoint: { ...checkpoint, first: null } };
    }
    first = { params: trained.params, state: trained.state, history };
  }
  const done = first;
  const second: FitStageOptions = {
    ...shared,
    ...stage2,
    stage: 2,
    start: done,
    ...(onCheckpoint && { onCheckpoint: (c: StageCheckpoint) => onCheckpoint({ ...c, first: done }) }),
    ...(resume?.first && { resume }),
  };
  const { trained, history, status, checkpoint } = await fitStage(network, data, second);
  return {
    trained,
    stage1: { network, params: done.params, state: done.state, stage: 1 },
    history: [...done.history, ...history],
    status,
    checkpoint: { ...checkpoint, first: done },
  };
}
