import type { Graph } from "@offprint/graph";
import { add, concatenate, mean, mul, ShapeError, sub, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import type { LocalLayer } from "./convolution.js";
import {
  augmentedFeatures,
  hasValidation,
  hiddenLayer,
  initialParams,
  largestPlace,
  layerOptimizer,
  type NodeSetting,
} from "./node-setting.js";
import { chosenNodes } from "./node-task.js";
import { forwardForwardLoss, goodness } from "./objectives.js";
import type { Stage, StagedMethod } from "./staged-training.js";
import { unitRows } from "./unit-rows.js";
import { augmentWithVirtualNodes } from "./virtual-nodes.js";

/** How labels get into the input: appended to features, or as edges to virtual nodes. */
export type Labelling = "ff-la" | "ff-vn";

/** Node features and the graph that messages pass along. */
interface Input {
  readonly x: Tensor;
  readonly graph: Graph;
}

/** The input in which the marked nodes have the given labels; the others have none. */
function labelledInput(setting: NodeSetting, labelling: Labelling, labels: Int32Array, marked: Uint8Array): Input {
  const { task, classes, features, options } = setting;
  if (labelling === "ff-vn") {
    const graph = augmentWithVirtualNodes(task.graph, labels, marked, classes, options.direction);
    return { x: augmentedFeatures(setting), graph };
  }
  const block = new Float64Array(task.graph.nodes * classes).fill(1 / classes);
  for (const i of chosenNodes(marked)) {
    block.fill(0, i * classes, (i + 1) * classes);
    block[i * classes + labels[i]] = 1;
  }
  const appended = tensor(block, { shape: [task.graph.nodes, classes], dtype: options.dtype });
  return { x: concatenate([features, appended], 1), graph: task.graph };
}

/** Per negative input the labels of all nodes: for each training node another wrong class, fixed for the whole run. */
export function wrongLabels(setting: NodeSetting): Int32Array[] {
  const { task, classes, options, rng } = setting;
  if (setting.wrongLabels !== undefined) {
    checkWrongLabels(setting, setting.wrongLabels);
    return [...setting.wrongLabels];
  }
  const count = Math.min(options.negatives, classes - 1);
  const out = Array.from({ length: count }, () => task.labels.slice());
  const own = rng.fork("negatives");
  for (const i of chosenNodes(task.train)) {
    const order = own.permutation(classes - 1).data();
    for (let j = 0; j < count; j++) out[j][i] = order[j] < task.labels[i] ? order[j] : order[j] + 1;
  }
  return out;
}

function checkWrongLabels({ task, classes }: NodeSetting, given: readonly Int32Array[]): void {
  if (!Array.isArray(given) || given.length === 0) {
    throw new ValueError("wrongLabels is no list, or empty; give labels for at least one negative input");
  }
  for (const labels of given) {
    if (labels?.length !== task.graph.nodes) {
      throw new ShapeError(
        `wrongLabels: a negative input has ${labels?.length ?? "no"} labels for ${task.graph.nodes} nodes; give one for each`,
      );
    }
    for (const i of chosenNodes(task.train)) {
      if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < classes) || labels[i] === task.labels[i]) {
        throw new ValueError(`wrongLabels: node ${i} of class ${task.labels[i]} has ${labels[i]}; give another class`);
      }
    }
  }
}

/**
 * Forward-forward learning: each layer makes the goodness of training nodes large where they have their label and
 * small where they have a wrong one. Layers are trained one after the other.
 */
export function forwardForward(setting: NodeSetting, labelling: Labelling): StagedMethod {
  const { task, options } = setting;
  const positive = labelledInput(setting, labelling, task.labels, task.train);
  const negatives = wrongLabels(setting).map((labels) => labelledInput(setting, labelling, labels, task.train));
  const weights = trainingWeights(setting, positive.x.shape[0]);
  const candidates = hasValidation(setting) ? new Candidates(setting, labelling, "validation") : undefined;
  let inputs = [positive, ...negatives];
  let depth = 0;
  const advance = (finished: readonly unknown[]) => {
    for (; depth < finished.length; depth++) {
      const layer = hiddenLayer(setting, inputs[0].x.shape[1]);
      const pass = ({ x, graph }: Input) => layer.apply(finished[depth], layer.prepare(unitRows(x), graph), graph);
      // With virtual nodes, positive and negative inputs differ by their edges only.
      const shared = labelling === "ff-vn" ? pass(inputs[0]) : undefined;
      inputs = inputs.map((input) => ({ x: shared ?? pass(input), graph: input.graph }));
      candidates?.advance(finished[depth]);
    }
  };
  return {
    stages: options.layers,
    begin(finished): Stage<unknown, null, { prepared: unknown[]; weights: Tensor }> {
      advance(finished);
      const width = inputs[0].x.shape[1];
      const layer = hiddenLayer(setting, width);
      const graphs = inputs.map(({ graph }) => graph);
      const prepared = inputs.map(({ x, graph }) => layer.prepare(unitRows(x), graph));
      return {
        key: `layer of ${width}`,
        layer: finished.length + 1,
        params: initialParams(setting, layer, finished.length),
        carried: null,
        constants: { prepared, weights },
        loss(params, carried, constants) {
          const losses = graphs.map((graph, k) => {
            const h = layer.apply(params, constants.prepared[k], graph);
            return forwardForwardLoss(h, constants.weights, k === 0 ? 1 : 0, options.theta);
          });
          const [first, ...others] = losses;
          const negative = others.reduce((a, b) => add(a, b));
          return [add(first, mul(negative, 1 / others.length)), carried];
        },
        optimizer: layerOptimizer(setting),
        ...(candidates !== undefined && {
          validate: async (params: unknown) => {
            const scores = await candidates.scores(layer, params);
            const nodes = chosenNodes(task.validation);
            let right = 0;
            for (const i of nodes) {
              if (largestPlace(scores, i * setting.classes, setting.classes) === task.labels[i]) right++;
            }
            return right / nodes.length;
          },
        }),
      };
    },
  };
}

/** `[rows]`: 1 / |T| at training nodes. */
function trainingWeights({ task, options }: NodeSetting, rows: number): Tensor {
  const known = chosenNodes(task.train);
  const weights = new Float64Array(rows);
  for (const i of known) weights[i] = 1 / known.length;
  return tensor(weights, { dtype: options.dtype });
}

/** `G_i(c)`, `[nodes, C]`: goodness summed over layers with each class as the label of all nodes to be judged. */
export function forwardForwardScores(
  setting: NodeSetting,
  labelling: Labelling,
  params: readonly unknown[],
  judged: "validation" | "test",
): Tensor {
  const candidates = new Candidates(setting, labelling, judged);
  for (const p of params) candidates.advance(p);
  return tensor(candidates.totals.slice(), { shape: [setting.task.graph.nodes, setting.classes] });
}

/** One input per candidate class, on their way up the layers. */
class Candidates {
  /** `[nodes, C]` goodness of the layers below. */
  readonly totals: Float64Array;
  private inputs: Input[];
  private prepared: unknown[] | undefined;

  constructor(
    private readonly setting: NodeSetting,
    labelling: Labelling,
    judged: "validation" | "test",
  ) {
    const { task, classes } = setting;
    const { validation, test } = task;
    const known = judged === "test" ? task.train.map((t, i) => (t || validation?.[i] ? 1 : 0)) : task.train;
    const asked = judged === "validation" ? validation : (test ?? known.map((k) => 1 - k));
    const marked = known.map((k, i) => (k || asked?.[i] ? 1 : 0));
    this.inputs = Array.from({ length: classes }, (_, c) => {
      const labels = task.labels.map((label, i) => (known[i] ? label : c));
      return labelledInput(setting, labelling, labels, marked);
    });
    this.totals = new Float64Array(task.graph.nodes * classes);
  }

  /** Takes every candidate through a layer. */
  advance(params: unknown): void {
    const layer = hiddenLayer(this.setting, this.inputs[0].x.shape[1]);
    const prepared = this.ready(layer);
    this.inputs = this.inputs.map(({ graph }, c) => {
      const x = layer.apply(params, prepared[c], graph);
      this.addGoodness(this.totals, layerGoodness(this.setting, x), c);
      return { x, graph };
    });
    this.prepared = undefined;
  }

  /** Totals with those of a layer that is still being trained, `[nodes, C]`. */
  async scores(layer: LocalLayer, params: unknown): Promise<Float64Array> {
    const out = this.totals.slice();
    const prepared = this.ready(layer);
    for (const [c, { graph, x }] of this.inputs.entries()) {
      const pass = (p: unknown, input: unknown) => layerGoodness(this.setting, layer.apply(p, input, graph));
      const key = layer.cached ? `candidate of ${x.shape[1]}` : `candidate ${c} of ${x.shape[1]}`;
      this.addGoodness(out, await this.setting.compiled.run(key, pass, params, prepared[c]), c);
    }
    return out;
  }

  private ready(layer: LocalLayer): unknown[] {
    this.prepared ??= this.inputs.map(({ x, graph }) => layer.prepare(unitRows(x), graph));
    return this.prepared;
  }

  private addGoodness(out: Float64Array, values: Tensor, c: number): void {
    const { classes, task } = this.setting;
    const added = values.data();
    for (let i = 0; i < task.graph.nodes; i++) out[i * classes + c] += added[i];
  }
}

/** What a layer adds to the score: its mean (or summed) squared activity above the threshold. */
function layerGoodness({ options }: NodeSetting, h: Tensor): Tensor {
  const squares = options.goodness === "sum" ? goodness(h) : mean(mul(h, h), { axis: -1 });
  return sub(squares, options.theta);
}
