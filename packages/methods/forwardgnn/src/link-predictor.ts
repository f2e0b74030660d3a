import type { Graph, GraphLayer } from "@offprint/graph";
import {
  add,
  checkOptions,
  requireChoice,
  requireObject,
  ShapeError,
  sigmoid,
  type Tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { forwardPass } from "./backpropagation.js";
import { linkLayerOutputs, linkLayers } from "./link-layers.js";
import { linkLogits, linkLoss } from "./link-objectives.js";
import {
  hasValidationPairs,
  type LinkOptions,
  type LinkSetting,
  type LinkTask,
  pairAuc,
  pairGraph,
  settleLinkTask,
  validationPairs,
} from "./link-setting.js";
import { linkSweepOutputs, linkSweepScores, linkTopToInput } from "./link-top-to-input.js";
import { initialNetwork, networkLayers, requireModel } from "./network-layers.js";
import { layerOptimizer } from "./node-setting.js";
import { requireGraph } from "./node-task.js";
import { compilerOf, ownLinkOptions, refuseIdleHeads, refuseOthers, type Settled } from "./options.js";
import {
  type EpochRecord,
  type Stage,
  type StagedMethod,
  type TrainingRun,
  type TrainingStatus,
  together,
  trainStages,
} from "./staged-training.js";

/** Ways of training a link predictor. */
export type LinkMethod = "ce" | "ff" | "ce-top-to-input" | "bp";

/** The ways of training, with what each of them is. */
export const linkMethods: Readonly<Record<LinkMethod, string>> = {
  ce: "layer by layer, cross-entropy of products of node outputs",
  ff: "layer by layer, forward-forward loss of products of node outputs",
  "ce-top-to-input": "cross-entropy, layers also read the layer above",
  bp: "backpropagation through the whole network",
};

/** A trained predictor: plain data, except for a convolution of one's own. */
export interface LinkPredictor {
  /** How it was trained. */
  readonly method: LinkMethod;
  /** Number of features of a node. */
  readonly features: number;
  /** The options it was trained with, defaults filled in. */
  readonly options: Settled<LinkOptions>;
  /** Parameters of each layer. */
  readonly params: readonly unknown[];
}

/** What `fitLinkPredictor` gives. */
export interface LinkFit {
  /** The trained predictor. */
  readonly model: LinkPredictor;
  /** All epochs of all layers. */
  readonly history: readonly EpochRecord[];
  /** Number of them. */
  readonly steps: number;
  /** `converged` where validations ended every layer; where it was interrupted, the model has what layers reached. */
  readonly status: TrainingStatus;
  /** To go on from with `resume`. */
  readonly state: TrainingRun;
}

function endToEnd({ features, options }: LinkSetting): GraphLayer[] {
  return networkLayers({ method: "bp", features: features.shape[1], options });
}

function linkNetwork(setting: LinkSetting): StagedMethod {
  const { features, options, task, rng, trainPairs, positives, compiled } = setting;
  const layers = endToEnd(setting);
  const graph = task.split.trainGraph;
  const judged = hasValidationPairs(setting) ? validationPairs(setting) : undefined;
  return {
    stages: 1,
    begin(): Stage<readonly unknown[], null, { x: Tensor }> {
      return {
        key: "network",
        layer: 0,
        params: layers.map((layer, l) => layer.init(rng.fork(`layer/${l}`), options.dtype)),
        carried: null,
        constants: { x: features },
        loss: (params, carried, { x }) => [
          linkLoss("ce", forwardPass(layers, params, x, graph), trainPairs, positives, 0),
          carried,
        ],
        optimizer: layerOptimizer(setting),
        ...(judged !== undefined && {
          validate: async (params: readonly unknown[]) => {
            const scores = (p: readonly unknown[], x: Tensor) =>
              linkLogits("ce", forwardPass(layers, p, x, graph), judged, 0);
            return pairAuc((await compiled.run("logits", scores, params, features)).data(), task.split.validation);
          },
        }),
      };
    },
  };
}

/** The stages of a method. */
export function linkTraining(setting: LinkSetting, method: LinkMethod): StagedMethod {
  switch (method) {
    case "ce":
    case "ff":
      return linkLayers(setting, method);
    case "ce-top-to-input":
      return linkTopToInput(setting);
    case "bp":
      return linkNetwork(setting);
    default:
      throw new ValueError(`method is ${String(method)}; it must be one of ${Object.keys(linkMethods).join(", ")}`);
  }
}

/**
 * Trains a graph neural network to tell which pairs of nodes are linked.
 * @throws as `fitNodeClassifier`.
 * @example const { model } = await fitLinkPredictor({ features, split: linkSplit(graph, { rng }) }, "ce");
 */
export async function fitLinkPredictor(
  task: LinkTask,
  method: LinkMethod = "ce",
  options: LinkOptions = {},
): Promise<LinkFit> {
  requireObject("fitLinkPredictor", "task", task, "{ features, split }");
  refuseIdleHeads("fitLinkPredictor", options);
  const setting = settleLinkTask("fitLinkPredictor", task, options, {
    weightDecay: method === "ce-top-to-input" ? 0 : 5e-4,
    compiler: compilerOf(options),
  });
  refuseOthers("fitLinkPredictor", method, options, ownLinkOptions);
  try {
    const { reached, ...run } = await trainStages("fitLinkPredictor", linkTraining(setting, method), {
      ...options,
      ...setting.options,
      compiler: compilerOf(options),
    });
    return { ...run, model: modelOf(setting, method, isGreedy(method) ? reached : together(reached)) };
  } finally {
    await setting.compiled.release();
  }
}

function modelOf({ features, options }: LinkSetting, method: LinkMethod, params: readonly unknown[]): LinkPredictor {
  // Interrupted, layer-wise training has reached fewer layers.
  return { method, features: features.shape[1], options: { ...options, layers: params.length }, params };
}

/** Whether the layers of a method learn one after the other, so that lower layers are a model of their own. */
function isGreedy(method: LinkMethod): boolean {
  return method === "ce" || method === "ff";
}

/** A predictor with random layers: what training has to beat. */
export function untrainedLinkPredictor(task: LinkTask, options: LinkOptions = {}): LinkPredictor {
  requireObject("untrainedLinkPredictor", "task", task, "{ features, split }");
  refuseIdleHeads("untrainedLinkPredictor", options);
  const setting = settleLinkTask("untrainedLinkPredictor", task, options);
  refuseOthers("untrainedLinkPredictor", "ce", options, ownLinkOptions);
  const kind = { method: "ce", features: setting.features.shape[1], options: setting.options };
  return modelOf(setting, "ce", initialNetwork(kind, setting.rng));
}

/** Options of `scorePairs` and `embedNodes`. */
export interface ScoreOptions {
  /** Use only the lowest layers (`ce` and `ff`). */
  layers?: number;
  /** What messages pass along. Default the split's `testGraph`. */
  graph?: Graph;
  /** Compiles the passes of `ce-top-to-input`. */
  backend?: LinkOptions["backend"];
}

function settingOf(owner: string, model: LinkPredictor, task: LinkTask, options: ScoreOptions) {
  checkOptions(owner, options, ["layers", "graph", "backend"]);
  requireModel(owner, model, linkMethods);
  const { layers = model.params.length, backend, graph = task.split?.testGraph } = options;
  if (layers !== model.params.length && !isGreedy(model.method)) {
    throw new UnsupportedError(`${owner}: the layers of ${model.method} only work together; leave layers out`);
  }
  if (layers > model.params.length) {
    throw new ValueError(`${owner}: layers is ${layers}; the model has ${model.params.length}`);
  }
  const own = { ...model.options, layers, ...(backend && { backend }) };
  const setting = settleLinkTask(owner, task, own, { compiler: backend && { backend } });
  requireGraph(owner, graph);
  const [nodes] = setting.features.shape;
  if (graph.nodes !== nodes) {
    throw new ShapeError(
      `${owner}: graph has ${graph.nodes} nodes, and features are of ${nodes}; give one of all of them`,
    );
  }
  if (setting.features.shape[1] !== model.features) {
    throw new ValueError(
      `${owner}: nodes have ${setting.features.shape[1]} features; the model takes ${model.features}`,
    );
  }
  return { setting, params: model.params.slice(0, layers), graph };
}

/**
 * How likely pairs are linked, for ranking: larger for likelier. Layer-wise methods give the mean over layers of
 * `sigmoid(logit)`, which is at least 1/2 for `ce` as outputs are not negative; backpropagation gives logits.
 * @param pairs `[pairs, 2]`, row by row
 */
export async function scorePairs(
  model: LinkPredictor,
  task: LinkTask,
  pairs: ArrayLike<number>,
  options: ScoreOptions = {},
): Promise<Float64Array> {
  requireObject("scorePairs", "model", model, "a LinkPredictor");
  requireObject("scorePairs", "task", task, "{ features, split }");
  requireObject("scorePairs", "pairs", pairs, "an array of numbers");
  const { setting, params, graph } = settingOf("scorePairs", model, task, options);
  const edges = pairGraph("scorePairs", graph.nodes, pairs);
  try {
    if (model.method === "bp") {
      const [z] = await embed(setting, model, params, graph);
      return Float64Array.from(linkLogits("ce", z, edges, 0).data());
    }
    if (model.method === "ce-top-to-input") {
      return Float64Array.from((await linkSweepScores(setting, params, graph, edges)).data());
    }
    const kind = model.method;
    const scores = linkLayerOutputs(setting, params, graph).map((z) =>
      sigmoid(linkLogits(kind, z, edges, setting.options.theta)),
    );
    return Float64Array.from(
      scores
        .reduce((a, b) => add(a, b))
        .div(scores.length)
        .data(),
    );
  } finally {
    await setting.compiled.release();
  }
}

/** Area under the ROC curve on the test pairs (or others) of a task. */
export async function linkAuc(
  model: LinkPredictor,
  task: LinkTask,
  options: ScoreOptions & { pairs?: "train" | "validation" | "test" } = {},
): Promise<number> {
  requireObject("linkAuc", "model", model, "a LinkPredictor");
  requireObject("linkAuc", "task", task, "{ features, split }");
  const { pairs = "test", ...scoring } = options;
  requireChoice("linkAuc", "pairs", pairs, ["train", "validation", "test"]);
  const chosen = task.split[pairs];
  return pairAuc(await scorePairs(model, task, [...chosen.positive, ...chosen.negative], scoring), chosen);
}

/** Outputs `[nodes, hidden]` of every layer (of the last one for `bp`). */
export async function embedNodes(model: LinkPredictor, task: LinkTask, options: ScoreOptions = {}): Promise<Tensor[]> {
  requireObject("embedNodes", "model", model, "a LinkPredictor");
  requireObject("embedNodes", "task", task, "{ features, split }");
  const { setting, params, graph } = settingOf("embedNodes", model, task, options);
  try {
    return await embed(setting, model, params, graph);
  } finally {
    await setting.compiled.release();
  }
}

async function embed(
  setting: LinkSetting,
  { method }: LinkPredictor,
  params: readonly unknown[],
  graph: Graph,
): Promise<Tensor[]> {
  if (method === "ce-top-to-input") return linkSweepOutputs(setting, params, graph);
  if (method !== "bp") return linkLayerOutputs(setting, params, graph);
  return [forwardPass(endToEnd(setting), params, setting.features, graph)];
}
