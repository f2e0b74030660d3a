import { checkOptions, requireObject, type Tensor, tensor, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { backpropagation, backpropagationScores } from "./backpropagation.js";
import { forwardForward, forwardForwardScores } from "./forward-forward.js";
import { initialNetwork, requireModel } from "./network-layers.js";
import { largestPlace, type NodeSetting, settleNodeTask, settlePrediction } from "./node-setting.js";
import type { NodeTask, PredictionTask } from "./node-task.js";
import { compilerOf, type NodeOptions, ownNodeOptions, refuseOthers, type Settled } from "./options.js";
import { singleForward, singleForwardScores } from "./single-forward.js";
import {
  type EpochRecord,
  type StagedMethod,
  type TrainingRun,
  type TrainingStatus,
  together,
  trainStages,
} from "./staged-training.js";
import { topToInput, topToInputScores } from "./top-to-input.js";
import { topToLoss, topToLossScores } from "./top-to-loss.js";

/** Ways of training a node classifier. */
export type NodeMethod = "sf" | "sf-top-to-input" | "sf-top-to-loss" | "ff-la" | "ff-vn" | "bp";

/** The ways of training, with what each of them is. */
export const nodeMethods: Readonly<Record<NodeMethod, string>> = {
  sf: "single forward: representatives at virtual nodes, no negative inputs",
  "sf-top-to-input": "single forward, layers also read the layer above",
  "sf-top-to-loss": "single forward, losses also count the layers above",
  "ff-la": "forward-forward with labels appended to features",
  "ff-vn": "forward-forward with labels as edges to virtual nodes",
  bp: "backpropagation through the whole network",
};

/** A trained classifier: plain data, except for a convolution of one's own. */
export interface NodeClassifier {
  /** How it was trained. */
  readonly method: NodeMethod;
  /** Number of classes. */
  readonly classes: number;
  /** Number of features of a node. */
  readonly features: number;
  /** The options it was trained with, defaults filled in. */
  readonly options: Settled<NodeOptions>;
  /** Parameters of each layer. */
  readonly params: readonly unknown[];
  /** `[classes, features]` of the virtual nodes; part of the model, as they are random. */
  readonly virtualFeatures: Tensor;
}

/** What `fitNodeClassifier` gives. */
export interface NodeFit {
  /** The trained classifier. */
  readonly model: NodeClassifier;
  /** All epochs of all layers. */
  readonly history: readonly EpochRecord[];
  /** Number of them. */
  readonly steps: number;
  /** `converged` where validations ended every layer; where it was interrupted, the model has what layers reached. */
  readonly status: TrainingStatus;
  /** To go on from with `resume`. */
  readonly state: TrainingRun;
}

/** The stages of a method. */
export function nodeTraining(setting: NodeSetting, method: NodeMethod): StagedMethod {
  switch (method) {
    case "sf":
      return singleForward(setting);
    case "sf-top-to-input":
      return topToInput(setting);
    case "sf-top-to-loss":
      return topToLoss(setting);
    case "ff-la":
    case "ff-vn":
      return forwardForward(setting, method);
    case "bp":
      return backpropagation(setting);
    default:
      throw new ValueError(`method is ${String(method)}; it must be one of ${Object.keys(nodeMethods).join(", ")}`);
  }
}

/** Whether the layers of a method learn one after the other, so that lower layers are a model of their own. */
function isGreedy(method: NodeMethod): boolean {
  return method === "sf" || method === "ff-la" || method === "ff-vn";
}

/**
 * Trains a graph neural network to tell the classes of nodes.
 * @throws ValueError, ShapeError or IndexError for a task or options that do not fit; NonFiniteError, with the last
 * good state, where a loss is not finite.
 * @example const { model } = await fitNodeClassifier({ graph, features, labels, train, validation, test }, "sf");
 * @see Park et al., ICLR 2024, arXiv 2403.11004.
 */
export async function fitNodeClassifier(
  task: NodeTask,
  method: NodeMethod = "sf",
  options: NodeOptions = {},
): Promise<NodeFit> {
  requireObject("fitNodeClassifier", "task", task, "{ graph, features, labels, train }");
  const setting = settleNodeTask("fitNodeClassifier", task, options);
  refuseOthers("fitNodeClassifier", method, options, ownNodeOptions);
  try {
    const { reached, ...run } = await trainStages("fitNodeClassifier", nodeTraining(setting, method), {
      ...options,
      ...setting.options,
      compiler: compilerOf(options),
    });
    return { ...run, model: modelOf(setting, method, isGreedy(method) ? reached : together(reached)) };
  } finally {
    await setting.compiled.release();
  }
}

function modelOf(setting: NodeSetting, method: NodeMethod, params: readonly unknown[]): NodeClassifier {
  const { classes, features, virtualFeatures, options } = setting;
  // Interrupted, layer-wise training has reached fewer layers.
  const reached = { ...options, layers: params.length };
  return { method, classes, features: features.shape[1], options: reached, params, virtualFeatures };
}

/** A single-forward classifier with random layers: what training has to beat. */
export function untrainedNodeClassifier(task: NodeTask, options: NodeOptions = {}): NodeClassifier {
  requireObject("untrainedNodeClassifier", "task", task, "{ graph, features, labels, train }");
  const setting = settleNodeTask("untrainedNodeClassifier", task, options);
  refuseOthers("untrainedNodeClassifier", "sf", options, ownNodeOptions);
  const kind = { ...setting, method: "sf", features: setting.features.shape[1] };
  return modelOf(setting, "sf", initialNetwork(kind, setting.rng));
}

/** Options of `predictNodes`. */
export interface PredictOptions {
  /** Use only the lowest layers, which are the model of that depth (methods whose layers learn one after another). */
  layers?: number;
  /** Compiles the passes. */
  backend?: NodeOptions["backend"];
}

/** What `predictNodes` gives. */
export interface NodePrediction {
  /** `[nodes]` */
  readonly classes: Int32Array;
  /** `[nodes, C]`: sums of probabilities (single forward), goodness (forward-forward) or probabilities. */
  readonly scores: Tensor;
}

/**
 * The classes of all nodes of a task, of which the training nodes are linked with the virtual nodes. The graph and the
 * features may be others than those of the training. Forward-forward methods give every node of `test` (without one,
 * every node in no other mask) each class in turn, all at once; their validation nodes keep their labels. Where no class
 * is known, `labels` and `train` may be left out.
 */
export async function predictNodes(
  model: NodeClassifier,
  task: PredictionTask,
  options: PredictOptions = {},
): Promise<NodePrediction> {
  requireObject("predictNodes", "model", model, "a NodeClassifier");
  requireObject("predictNodes", "task", task, "{ graph, features }");
  checkOptions("predictNodes", options, ["layers", "backend"]);
  requireModel("predictNodes", model, nodeMethods);
  const { layers = model.params.length, backend } = options;
  const own = { ...model.options, layers, ...(backend && { backend }) };
  const setting = settlePrediction("predictNodes", task, own, model);
  if (layers !== model.params.length && !isGreedy(model.method)) {
    throw new UnsupportedError(`predictNodes: the layers of ${model.method} only work together; leave layers out`);
  }
  if (layers > model.params.length) {
    throw new ValueError(`predictNodes: layers is ${layers}; the model has ${model.params.length}`);
  }
  try {
    const scores = await scoresOf(setting, model, model.params.slice(0, layers));
    const values = scores.data();
    const count = setting.classes;
    const classes = Int32Array.from({ length: task.graph.nodes }, (_, i) => largestPlace(values, i * count, count));
    return { classes, scores: tensor(values.slice(), { shape: scores.shape }) };
  } finally {
    await setting.compiled.release();
  }
}

async function scoresOf(setting: NodeSetting, { method }: NodeClassifier, params: readonly unknown[]): Promise<Tensor> {
  switch (method) {
    case "sf":
      return singleForwardScores(setting, params);
    case "sf-top-to-input":
      return topToInputScores(setting, params);
    case "sf-top-to-loss":
      return topToLossScores(setting, params);
    case "bp":
      return backpropagationScores(setting, params);
    default:
      return forwardForwardScores(setting, method, params, "test");
  }
}
