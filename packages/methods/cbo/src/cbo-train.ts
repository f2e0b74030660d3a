import { figuresOf, runLoop } from "@offprint/solvers";
import { SwarmTraining } from "./swarm-training.js";
import type {
  EpochRecord,
  SwarmTrainingOptions,
  SwarmTrainingResult,
  SwarmTrainingState,
  TrainingData,
} from "./training-options.js";
import { requireTrainingState, TRAINING, trainingSettings } from "./training-settings.js";
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
  const alpha = settings.alphaOf(1);
  const training = new SwarmTraining(model, data, settings, options);
  let made: EpochRecord | undefined;
  try {
    const run = await runLoop<SwarmTrainingState, EpochRecord, never>(
      {
        owner: TRAINING,
        limit: settings.epochs,
        limitName: "epochs",
        initial: () => training.begin(),
        // An epoch that the signal breaks off counts as not begun.
        step: async (state) => {
          const next = await training.epoch(state);
          made = next?.[1];
          return next?.[0] ?? state;
        },
        count: ({ epoch }) => epoch,
        record: async ({ particles }) => {
          if (made === undefined || options.evaluate === undefined) return made;
          const theta = await training.consult(particles, alpha);
          return { ...made, figures: await figuresOf(TRAINING, "evaluate", options.evaluate(theta)) };
        },
        check: (state) => requireTrainingState(settings, state),
      },
      options,
    );
    const { status, iterations: epochs, history, state, last } = run;
    const theta = await training.consult(last.particles, alpha);
    const [objective] = await training.lossesOf(theta.reshape([1, -1]));
    return { theta, objective, status, epochs, history, warnings: settings.warnings, state };
  } finally {
    await training.release();
  }
}
