import { adam } from "@offprint/optim";
import { cast, type Rng, random, ShapeError, type Tensor, ValueError } from "@offprint/tensor-core";
import { CompiledFunctions } from "./compiled-functions.js";
import { type LocalLayer, localLayer, makeConvolution } from "./convolution.js";
import { checkNodeTask, chosenNodes, type NodeTask } from "./node-task.js";
import { type NodeOptions, type Settled, settleNodes, type TrainingOptions } from "./options.js";
import { drawVirtualFeatures, withVirtualFeatures } from "./virtual-nodes.js";

/** What layers are made from, whatever they are to learn. */
export interface TrainingSetting {
  readonly options: Settled<TrainingOptions>;
  readonly rng: Rng;
}

/** A checked task and settled options: what the methods of node classification work with. */
export interface NodeSetting {
  readonly task: NodeTask;
  readonly options: Settled<NodeOptions>;
  /** Number of classes C. */
  readonly classes: number;
  /** `[nodes, features]` in the dtype of the run. */
  readonly features: Tensor;
  /** `[C, features]` */
  readonly virtualFeatures: Tensor;
  /** The user's own wrong labels, if any. */
  readonly wrongLabels: readonly Int32Array[] | undefined;
  readonly rng: Rng;
  readonly compiled: CompiledFunctions;
}

/** Checks a task and options. `known` gives what a trained model brings along. */
export function settleNodeTask(
  owner: string,
  task: NodeTask,
  options: NodeOptions,
  known: { classes?: number; virtualFeatures?: Tensor } = {},
): NodeSetting {
  const settled = settleNodes(owner, options);
  const found = checkNodeTask(owner, task);
  const { classes = found } = known;
  if (found > classes)
    throw new ValueError(`${owner}: labels have ${found} classes; the model was trained with ${classes}`);
  const { dtype } = settled;
  const features = cast(task.features, dtype);
  const rng = random.rng(settled.seed);
  const given = known.virtualFeatures ?? options.virtualFeatures;
  if (given !== undefined && given.shape[0] !== classes) {
    throw new ShapeError(
      `${owner}: virtualFeatures have shape [${given.shape}]; give a row for each of ${classes} classes`,
    );
  }
  const width = features.shape[1];
  return {
    task,
    options: settled,
    classes,
    features,
    virtualFeatures:
      given === undefined ? drawVirtualFeatures(rng.fork("virtual"), classes, width, dtype) : cast(given, dtype),
    wrongLabels: options.wrongLabels,
    rng,
    compiled: new CompiledFunctions(options.backend),
  };
}

/** `[X; V]` */
export function augmentedFeatures({ features, virtualFeatures }: NodeSetting): Tensor {
  return withVirtualFeatures(features, virtualFeatures);
}

/** Layer `index` (from 0), a convolution from `inputs` to the hidden width with ReLU. */
export function hiddenLayer({ options }: Pick<TrainingSetting, "options">, inputs: number): LocalLayer {
  const { convolution, hidden, heads, cache } = options;
  return localLayer(makeConvolution(convolution, inputs, hidden, heads), cache);
}

/** Initial parameters of layer `index`; they do not depend on how many layers there are. */
export function initialParams({ rng, options }: TrainingSetting, layer: LocalLayer, index: number) {
  return layer.convolution.init(rng.fork(`layer/${index}`), options.dtype);
}

/** The optimizer of every layer. */
export function layerOptimizer({ options }: Pick<TrainingSetting, "options">) {
  return adam({ learningRate: options.learningRate, weightDecay: options.weightDecay });
}

/** Part of the validation nodes whose largest score is at their class. */
export function validationAccuracy({ task, classes }: NodeSetting, scores: Tensor): number {
  const values = scores.data();
  const nodes = chosenNodes(task.validation);
  let right = 0;
  for (const i of nodes) if (largestPlace(values, i * classes, classes) === task.labels[i]) right++;
  return right / nodes.length;
}

/** Whether there is something to validate on. */
export function hasValidation({ task }: Pick<NodeSetting, "task">): boolean {
  return task.validation?.some((chosen) => chosen !== 0) ?? false;
}

/** The first place of the largest of `count` values. */
export function largestPlace(values: ArrayLike<number>, from: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[from + k] > values[from + best]) best = k;
  return best;
}
