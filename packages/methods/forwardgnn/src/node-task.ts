import type { Graph } from "@offprint/graph";
import {
  asTensor,
  cast,
  checkOptions,
  IndexError,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** A graph some of whose nodes have known classes. */
export interface NodeTask {
  /** The graph; friendships and the like must be edges in both directions. */
  readonly graph: Graph;
  /** `[nodes, features]`, used as they are: `rowNormalize` counts of words first. */
  readonly features: TensorLike;
  /** `[nodes]` classes from 0. Only those of nodes in a mask are read. */
  readonly labels: Int32Array;
  /** `[nodes]` 1 for nodes to learn from. */
  readonly train: Uint8Array;
  /** `[nodes]` 1 for nodes to stop and to choose parameters by; without it the last parameters are kept. */
  readonly validation?: Uint8Array;
  /** `[nodes]` 1 for nodes to judge by. */
  readonly test?: Uint8Array;
}

/** What classes are predicted for: nodes whose classes are not known have none in `labels`, and are in no mask but `test`. */
export interface PredictionTask extends Omit<NodeTask, "labels" | "train"> {
  /** `[nodes]` classes from 0. Only those of nodes in `train` and `validation` are read. Default none. */
  readonly labels?: Int32Array;
  /** `[nodes]` 1 for nodes whose classes are known. Default none. */
  readonly train?: Uint8Array;
}

/** A task whose features are a tensor. */
export interface ReadTask extends NodeTask {
  readonly features: Tensor;
}

/** What a task may hold beside its own fields, as data sets come with more. */
const dataNames = ["name", "nodeNames", "classNames", "split"];

/** Throws where a task has a field of another name, which would be passed over. */
export function checkTaskNames(owner: string, task: object, names: readonly string[]): void {
  checkOptions(`${owner}: task`, task, [...new Set([...names, ...dataNames])]);
}

const taskNames = ["graph", "features", "labels", "train", "validation", "test"];

/** Features as a tensor, plain arrays as float64. @throws ShapeError unless they are `[nodes, features]` and finite. */
export function readNodeFeatures(owner: string, features: TensorLike, nodes: number): Tensor {
  if (features === undefined || features === null) {
    throw new ShapeError(`${owner}: features are missing; give [${nodes}, features]`);
  }
  const x = asTensor(features, Array.isArray(features) ? "float64" : undefined);
  if (x.rank !== 2 || x.shape[0] !== nodes || x.shape[1] === 0) {
    throw new ShapeError(`${owner}: features have shape [${x.shape}]; they must be [${nodes}, features]`);
  }
  requireFinite(owner, x);
  return x;
}

/** Beside the 1e-8 that unit rows add to a length, shorter rows count as none. */
const SHORTEST = 1e-6;
/** Squares of larger features overflow. */
const LONGEST = { float32: 1e18, float64: 1e150 } as const;

/** Features in the dtype of a run. @throws ValueError for those of a size that would be lost in it. */
export function featuresIn(owner: string, features: Tensor, dtype: "float32" | "float64"): Tensor {
  const values = features.data();
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  if (largest > 0 && !(largest >= SHORTEST && largest <= LONGEST[dtype])) {
    throw new ValueError(`${owner}: features go up to ${largest}, lost in ${dtype}; divide them by this`);
  }
  return cast(features, dtype);
}

/** A task to predict for, with what it leaves out. @throws as `checkNodeTask`. */
export function readPredictionTask(owner: string, task: PredictionTask): { task: ReadTask; classes: number } {
  checkTaskNames(owner, task, taskNames);
  requireGraph(owner, task.graph);
  const { nodes } = task.graph;
  const { train = new Uint8Array(nodes), labels = new Int32Array(nodes) } = task;
  const features = readNodeFeatures(owner, task.features, nodes);
  const whole = { ...task, features, train, labels };
  requireLabels(owner, labels, nodes);
  checkMasks(owner, whole);
  const known = [train, task.validation];
  if (task.labels === undefined && known.some((mask) => chosenNodes(mask).length > 0)) {
    throw new ValueError(
      `${owner}: train or validation marks nodes, but there are no labels; give those of the marked`,
    );
  }
  return { task: whole, classes: countClasses(owner, labels, known) };
}

/** Places of the ones of a mask. */
export function chosenNodes(mask: Uint8Array | undefined): Int32Array {
  const out: number[] = [];
  mask?.forEach((chosen, i) => {
    if (chosen !== 0) out.push(i);
  });
  return Int32Array.from(out);
}

/**
 * Checks a task; the number of its classes.
 * @throws ShapeError, IndexError or ValueError that says what is wrong and what to do.
 */
export function checkNodeTask(owner: string, task: NodeTask): number {
  const { graph, features, labels, train } = task;
  checkTaskNames(owner, task, taskNames);
  requireGraph(owner, graph);
  requireObject(owner, "labels", labels, "an Int32Array");
  requireObject(owner, "train", train, "a Uint8Array");
  readNodeFeatures(owner, features, graph.nodes);
  requireLabels(owner, labels, graph.nodes);
  checkMasks(owner, task);
  const known = chosenNodes(train);
  if (known.length === 0) throw new ValueError(`${owner}: no node is in train; mark the nodes to learn from`);
  const classes = countClasses(owner, labels, [train, task.validation, task.test]);
  if (classes < 2) throw new ValueError(`${owner}: there is ${classes} class; at least 2 are needed`);
  const seen = new Uint8Array(classes);
  for (const i of known) seen[labels[i]] = 1;
  const missing = seen.indexOf(0);
  if (missing >= 0) {
    throw new ValueError(
      `${owner}: no training node has class ${missing} of ${classes}, whose representative would stay unconnected; ` +
        "number the classes without gaps, or choose other training nodes",
    );
  }
  return classes;
}

/** Throws unless it can be told who is whose neighbour. */
export function requireGraph(owner: string, graph: Graph): void {
  requireObject(owner, "graph", graph, "a Graph");
  if (Number.isSafeInteger(graph.nodes) && graph.sources?.length >= 0 && graph.targets?.length >= 0) return;
  throw new ValueError(`${owner}: graph is no Graph; make one with undirected(edges, nodes) of @offprint/graph`);
}

function requireLabels(owner: string, labels: Int32Array, nodes: number): void {
  if (labels.length === nodes) return;
  throw new ShapeError(`${owner}: ${labels.length ?? "no"} labels for ${nodes} nodes; give an array with one for each`);
}

/** One more than the largest class of the marked nodes. @throws IndexError for what is no class. */
function countClasses(owner: string, labels: Int32Array, masks: readonly (Uint8Array | undefined)[]): number {
  let classes = 0;
  for (const i of masks.flatMap((mask) => [...chosenNodes(mask)])) {
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < 2 ** 20)) {
      throw new IndexError(`${owner}: node ${i} has label ${labels[i]}; labels are classes 0, 1, ..., C - 1`);
    }
    classes = Math.max(classes, labels[i] + 1);
  }
  return classes;
}

function checkMasks(owner: string, { graph, train, validation, test }: NodeTask): void {
  const masks = Object.entries({ train, validation, test }).filter(([, mask]) => mask !== undefined);
  for (const [name, mask] of masks as [string, Uint8Array][]) {
    if (mask?.length !== graph.nodes) {
      throw new ShapeError(
        `${owner}: the mask ${name} has ${mask?.length ?? "no"} entries for ${graph.nodes} nodes; give a Uint8Array`,
      );
    }
    const wrong = mask.findIndex((mark) => mark !== 0 && mark !== 1);
    if (wrong >= 0) {
      throw new ValueError(
        `${owner}: the mask ${name} is ${mask[wrong]} at node ${wrong}; give 1 for its nodes, else 0`,
      );
    }
  }
  for (let i = 0; i < graph.nodes; i++) {
    const uses = masks.filter(([, mask]) => (mask as Uint8Array)[i] !== 0).map(([name]) => name);
    if (uses.length > 1)
      throw new ValueError(`${owner}: node ${i} is in ${uses.join(" and ")}; masks must not overlap`);
  }
}

/** Throws where a feature is not finite. */
export function requireFinite(owner: string, features: Tensor): void {
  const values = features.data();
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      const [row, column] = [Math.floor(i / features.shape[1]), i % features.shape[1]];
      throw new ValueError(`${owner}: feature ${column} of node ${row} is ${values[i]}; features must be finite`);
    }
  }
}

/** `[nodes, classes]`: `value` at the class of each chosen node, 0 elsewhere. */
export function targetMatrix(
  labels: Int32Array,
  chosen: Int32Array,
  classes: number,
  value: number,
  dtype: "float32" | "float64",
): Tensor {
  const out =
    dtype === "float64" ? new Float64Array(labels.length * classes) : new Float32Array(labels.length * classes);
  for (const i of chosen) out[i * classes + labels[i]] = value;
  return tensor(out, { shape: [labels.length, classes] });
}
