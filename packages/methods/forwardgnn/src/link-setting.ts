import { Graph, type LinkPairs, type LinkSplit, rocAuc } from "@offprint/graph";
import {
  checkOptions,
  IndexError,
  type JitOptions,
  type Rng,
  random,
  requireChoice,
  requireInteger,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { CompiledFunctions } from "./compiled-functions.js";
import { checkTaskNames, featuresIn, readNodeFeatures, requireGraph } from "./node-task.js";
import { requireSweeps, type Settled, settleTraining, type TrainingOptions, trainingOptionNames } from "./options.js";

/** Nodes with features, and which pairs of them are linked. */
export interface LinkTask {
  /** `[nodes, features]` */
  readonly features: TensorLike;
  /** Pairs to learn from, to choose by and to judge by, and the graphs that messages pass along: see `linkSplit`. */
  readonly split: LinkSplit;
}

/** Options of `fitLinkPredictor`. */
export interface LinkOptions extends TrainingOptions {
  /** Threshold of the goodness (`ff`). Default 2. */
  theta?: number;
  /** Whether odd layers go before even ones in a time step (`ce-top-to-input`). Default true. */
  alternating?: boolean;
  /** Sweeps of a prediction of `ce-top-to-input`. Default 10. */
  sweeps?: number;
  /** First sweep (from 0) that counts in it. Default 2. */
  collectFrom?: number;
}

const splitNames = ["train", "validation", "test", "trainGraph", "testGraph"];

/** The names of {@link LinkOptions}, for `checkOptions`. */
export const linkOptionNames = [
  ...trainingOptionNames,
  "theta",
  "alternating",
  "sweeps",
  "collectFrom",
] as const satisfies readonly (keyof LinkOptions)[];

/** A checked task and settled options: what the methods of link prediction work with. */
export interface LinkSetting {
  readonly task: LinkTask;
  readonly options: Settled<LinkOptions>;
  readonly features: Tensor;
  readonly rng: Rng;
  readonly compiled: CompiledFunctions;
  /** Training pairs as edges: linked ones first. */
  readonly trainPairs: Graph;
  /** Number of linked training pairs. */
  readonly positives: number;
}

/** Defaults of link prediction; throws ValueError for what is out of range. */
export function settleLinks(owner: string, options: LinkOptions): Settled<LinkOptions> {
  const { theta = 2, alternating = true, sweeps = 10, collectFrom = 2 } = options;
  if (!Number.isFinite(theta)) throw new ValueError(`${owner}: theta is ${theta}; it must be finite`);
  requireSweeps(owner, sweeps, collectFrom);
  requireChoice(owner, "alternating", alternating, [true, false]);
  return { ...settleTraining(owner, options), theta, alternating, sweeps, collectFrom };
}

/** Checks a task and options. */
export function settleLinkTask(
  owner: string,
  task: LinkTask,
  options: LinkOptions,
  { weightDecay = 5e-4, compiler }: { weightDecay?: number; compiler?: JitOptions | undefined } = {},
): LinkSetting {
  checkOptions(owner, options, linkOptionNames);
  const settled = settleLinks(owner, { ...options, weightDecay: options.weightDecay ?? weightDecay });
  checkTaskNames(owner, task, ["graph", "features", "labels", "split"]);
  const { split } = task;
  checkOptions(`${owner}: split`, split, splitNames, splitNames);
  requireGraph(`${owner}: trainGraph`, split.trainGraph);
  requireGraph(`${owner}: testGraph`, split.testGraph);
  for (const name of ["train", "validation", "test"] as const) {
    checkOptions(`${owner}: ${name}`, split[name], ["positive", "negative"], ["positive", "negative"]);
  }
  const { nodes } = split.trainGraph;
  if (split.testGraph.nodes !== nodes) {
    throw new ShapeError(
      `${owner}: testGraph has ${split.testGraph.nodes} nodes and trainGraph ${nodes}; give both all nodes`,
    );
  }
  const features = readNodeFeatures(owner, task.features, nodes);
  const { positive, negative } = split.train;
  requireInteger(owner, "the number of linked training pairs", positive.length / 2, 1);
  requireInteger(owner, "the number of training pairs that are no links", negative.length / 2, 1);
  return {
    task,
    options: settled,
    features: featuresIn(owner, features, settled.dtype),
    rng: random.rng(settled.seed),
    compiled: new CompiledFunctions(compiler),
    trainPairs: pairGraph(owner, nodes, positive, negative),
    positives: positive.length / 2,
  };
}

/** Pairs `[pairs, 2]`, list after list, as the edges of a graph. */
export function pairGraph(owner: string, nodes: number, ...lists: readonly ArrayLike<number>[]): Graph {
  const ends = lists.flatMap((list) => Array.from(list));
  const wrong = ends.find((node) => !(Number.isInteger(node) && node >= 0 && node < nodes));
  if (wrong !== undefined) throw new IndexError(`${owner}: a pair names node ${wrong}; nodes are 0 to ${nodes - 1}`);
  const odd = lists.find((list) => list.length % 2 !== 0);
  if (odd !== undefined) {
    throw new ShapeError(
      `${owner}: pairs are a list of ${odd.length} nodes; give two for each pair, one after the other`,
    );
  }
  const half = ends.length / 2;
  const side = (offset: number) => Int32Array.from({ length: half }, (_, i) => ends[2 * i + offset]);
  return new Graph(nodes, side(0), side(1));
}

/** Area under the ROC curve of scores of linked pairs, then of others. */
export function pairAuc(scores: ArrayLike<number>, { positive }: LinkPairs): number {
  const count = positive.length / 2;
  return rocAuc(
    scores,
    Array.from(scores, (_, i) => (i < count ? 1 : 0)),
  );
}

/** Whether there are pairs to validate on. */
export function hasValidationPairs({ task }: LinkSetting): boolean {
  const { positive, negative } = task.split.validation;
  return positive.length > 0 && negative.length > 0;
}

/** Validation pairs as edges, linked ones first. */
export function validationPairs({ task }: LinkSetting): Graph {
  const { trainGraph, validation } = task.split;
  return pairGraph("validation", trainGraph.nodes, validation.positive, validation.negative);
}
