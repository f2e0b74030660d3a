import { adam } from "@offprint/optim";
import {
  cast,
  checkOptions,
  isTensor,
  type JitOptions,
  type Rng,
  random,
  refuseIdle,
  requireFinite,
  ShapeError,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { CompiledFunctions } from "./compiled-functions.js";
import { type LocalLayer, localLayer, makeConvolution } from "./convolution.js";
import {
  checkNodeTask,
  chosenNodes,
  featuresIn,
  type NodeTask,
  type PredictionTask,
  type ReadTask,
  readNodeFeatures,
  readPredictionTask,
} from "./node-task.js";
import {
  compilerOf,
  type NodeOptions,
  nodeOptionNames,
  refuseIdleHeads,
  type Settled,
  settleNodes,
  type TrainingOptions,
} from "./options.js";
import { drawVirtualFeatures, withVirtualFeatures } from "./virtual-nodes.js";

/** What layers are made from, whatever they are to learn. */
export interface TrainingSetting {
  readonly options: Settled<TrainingOptions>;
  readonly rng: Rng;
}

/** A checked task and settled options: what the methods of node classification work with. */
export interface NodeSetting {
  readonly task: ReadTask;
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

/** Checks a task to learn from, and options. */
export function settleNodeTask(owner: string, task: NodeTask, options: NodeOptions): NodeSetting {
  checkOptions(owner, options, nodeOptionNames);
  if (options.wrongLabels !== undefined) refuseIdle(owner, "wrongLabels", options, ["negatives"]);
  refuseIdleHeads(owner, options);
  const classes = checkNodeTask(owner, task);
  const features = readNodeFeatures(owner, task.features, task.graph.nodes);
  return settle(owner, { ...task, features }, classes, options, options.virtualFeatures, compilerOf(options));
}

/** Checks a task to predict for. `known` is what a trained model brings along. */
export function settlePrediction(
  owner: string,
  given: PredictionTask,
  options: NodeOptions,
  known: { readonly classes: number; readonly features: number; readonly virtualFeatures: Tensor },
): NodeSetting {
  const { task, classes } = readPredictionTask(owner, given);
  if (classes > known.classes) {
    throw new ValueError(`${owner}: labels have ${classes} classes; the model was trained with ${known.classes}`);
  }
  const [, width] = task.features.shape;
  if (width !== known.features) {
    throw new ValueError(`${owner}: nodes have ${width} features; the model takes ${known.features}`);
  }
  const { backend } = options;
  return settle(owner, task, known.classes, options, known.virtualFeatures, backend && { backend });
}

function settle(
  owner: string,
  task: ReadTask,
  classes: number,
  options: NodeOptions,
  given: Tensor | undefined,
  compiler: JitOptions | undefined,
): NodeSetting {
  const settled = settleNodes(owner, options);
  const { dtype } = settled;
  const features = featuresIn(owner, task.features, dtype);
  const rng = random.rng(settled.seed);
  if (given !== undefined && !isTensor(given)) {
    throw new ShapeError(`${owner}: virtualFeatures are ${typeof given}; give a tensor`);
  }
  if (given !== undefined) requireFinite(owner, "virtualFeatures", given);
  const width = features.shape[1];
  if (given !== undefined && given.shape.join() !== [classes, width].join()) {
    throw new ShapeError(
      `${owner}: virtualFeatures have shape [${given.shape}]; give a row for each of ${classes} classes, [${classes}, ${width}]`,
    );
  }
  return {
    task,
    options: settled,
    classes,
    features,
    virtualFeatures:
      given === undefined ? drawVirtualFeatures(rng.fork("virtual"), classes, width, dtype) : cast(given, dtype),
    wrongLabels: options.wrongLabels,
    rng,
    compiled: new CompiledFunctions(compiler),
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
