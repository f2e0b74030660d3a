import { NonFiniteError } from "@offprint/tensor-core";
import { SwarmTraining } from "./swarm-training.js";
import type { EpochRecord, SwarmTrainingOptions, SwarmTrainingResult, TrainingData } from "./training-options.js";
import { trainingSettings } from "./training-settings.js";
import type { SwarmModel } from "./tree-model.js";

/**
 * Trains a model without gradients, by consensus-based optimisation on random batches of data and of particles. For each
 * batch of data the particles take turns, batch by batch, in forming a consensus on it; each consensus moves the swarm.
 * Where it stands still, all particles are shaken.
 *
 * @throws ValueError and ShapeError for options out of range; NonFiniteError, with the state after the last whole epoch,
 * where no particle of a batch has a finite loss.
 * @see https://arxiv.org/abs/2306.09778
 * @example
 * ```ts
 * import { cboTrain, treeModel } from "@offprint/cbo";
 * import { standardization } from "@offprint/data";
 * import { iris } from "@offprint/datasets";
 * import { crossEntropy } from "@offprint/optim";
 * import { add, matmul, zeros } from "@offprint/tensor-core";
 *
 * const { inputs, targets } = iris();
 * const model = treeModel({ w: zeros([4, 3]), b: zeros([3]) }, (p, batch) =>
 *   crossEntropy(add(matmul(batch.inputs, p.w), p.b), batch.targets),
 * );
 * const data = { inputs: standardization(inputs).apply(inputs), targets };
 * const { objective } = await cboTrain(model, data, { epochs: 5, batchSize: 30 });
 * console.log(objective);
 * ```
 */
export async function cboTrain(
  model: SwarmModel<TrainingData>,
  data: TrainingData,
  options: SwarmTrainingOptions = {},
): Promise<SwarmTrainingResult> {
  const settings = trainingSettings(model, data, options);
  const { signal, onProgress, checkpoint, evaluate } = options;
  const alpha = settings.alphaOf(1);
  const training = new SwarmTraining(model, data, settings, options);
  let state = options.resume ?? training.begin();
  let status: SwarmTrainingResult["status"] = "completed";
  try {
    while (state.epoch < settings.epochs && status === "completed") {
      const next = await training.epoch(state);
      if (next === undefined) {
        status = "aborted";
        break;
      }
      const figures = evaluate ? { ...(await evaluate(await training.consult(next.particles, alpha))) } : {};
      const record: EpochRecord = { ...next.history[next.history.length - 1], figures };
      state = { ...next, history: [...next.history.slice(0, -1), record] };
      if (checkpoint && state.epoch % (checkpoint.every ?? 1) === 0) await checkpoint.save(state);
      if ((await onProgress?.(record)) === "stop" && state.epoch < settings.epochs) status = "stopped";
      else if (signal?.aborted && state.epoch < settings.epochs) status = "aborted";
    }
    const theta = await training.consult(state.particles, alpha);
    const [objective] = await training.lossesOf(theta.reshape([1, -1]));
    return { theta, objective, status, iterations: state.epoch, history: state.history, state };
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    throw new NonFiniteError(error.message, { state, cause: error });
  } finally {
    await training.release();
  }
}
