import type { Graph } from "@offprint/graph";
import { add, concatenate, slice, softmax, type Tensor, zeros } from "@offprint/tensor-core";
import type { LocalLayer } from "./convolution.js";
import {
  augmentedFeatures,
  hasValidation,
  hiddenLayer,
  initialParams,
  layerOptimizer,
  type NodeSetting,
  validationAccuracy,
} from "./node-setting.js";
import { chosenNodes, targetMatrix } from "./node-task.js";
import { classLogits, singleForwardLoss } from "./objectives.js";
import type { Stage, StagedMethod } from "./staged-training.js";
import { unitRows } from "./unit-rows.js";
import { augmentWithVirtualNodes } from "./virtual-nodes.js";

/** The graph with a virtual node for each class, linked with its training nodes. */
export function trainingGraph({ task, classes, options }: NodeSetting): Graph {
  return augmentWithVirtualNodes(task.graph, task.labels, task.train, classes, options.direction);
}

/** `[nodes, C]`: 1 / |T| at the class of each training node; with `[C, C]` zeros for the virtual nodes below. */
export function trainingTargets({ task, classes, options }: NodeSetting, virtual: "virtual" | "none"): Tensor {
  const known = chosenNodes(task.train);
  const targets = targetMatrix(task.labels, known, classes, 1 / known.length, options.dtype);
  return virtual === "none" ? targets : concatenate([targets, zeros([classes, classes], options.dtype)]);
}

/** What a layer says of the classes of nodes: `softmax_k(h_i . c_k / tau)`, `[nodes, C]`. */
export function classProbabilities({ classes, options }: NodeSetting, h: Tensor): Tensor {
  return softmax(slice(classLogits(h, classes, options.tau), [{ stop: h.shape[0] - classes }]));
}

/**
 * Single-forward learning: each layer makes nodes similar to the representative of their class, the output at its
 * virtual node, in one pass and without negative inputs. Layers are trained one after the other.
 */
export function singleForward(setting: NodeSetting): StagedMethod {
  const { options } = setting;
  const graph = trainingGraph(setting);
  const targets = trainingTargets(setting, "virtual");
  const walk = new LayerWalk(setting, graph);
  return {
    stages: options.layers,
    begin(finished): Stage<unknown, null, { prepared: unknown; targets: Tensor }> {
      walk.advance(finished);
      const { layer, prepared, scores } = walk;
      const index = finished.length;
      const key = `layer of ${walk.width}`;
      return {
        key,
        layer: index + 1,
        params: initialParams(setting, layer, index),
        carried: null,
        constants: { prepared, targets },
        loss: (params, carried, constants) => [
          singleForwardLoss(layer.apply(params, constants.prepared, graph), constants.targets, options.tau),
          carried,
        ],
        optimizer: layerOptimizer(setting),
        ...(hasValidation(setting) && {
          validate: async (params: unknown) => {
            const present = (p: unknown, input: unknown) => classProbabilities(setting, layer.apply(p, input, graph));
            const own = await setting.compiled.run(key, present, params, prepared);
            return validationAccuracy(setting, add(scores, own));
          },
        }),
      };
    },
  };
}

/** `P_i = sum over layers of the class probabilities`, `[nodes, C]`, from the parameters of the layers. */
export function singleForwardScores(setting: NodeSetting, params: readonly unknown[]): Tensor {
  const walk = new LayerWalk(setting, trainingGraph(setting));
  walk.advance(params);
  return walk.scores;
}

/** Goes up the layers that are trained: the input of the next one, and the scores of those below. */
class LayerWalk {
  /** The next layer. */
  layer: LocalLayer;
  /** Its input, made ready. */
  prepared: unknown;
  /** The width of its input. */
  width: number;
  /** `[nodes, C]` sums of the probabilities of the layers below. */
  scores: Tensor;
  private depth = 0;

  constructor(
    private readonly setting: NodeSetting,
    private readonly graph: Graph,
  ) {
    const x = augmentedFeatures(setting);
    this.width = x.shape[1];
    this.layer = hiddenLayer(setting, this.width);
    this.prepared = this.layer.prepare(unitRows(x), graph);
    this.scores = zeros([setting.task.graph.nodes, setting.classes], x.dtype);
  }

  advance(params: readonly unknown[]): void {
    const { setting, graph } = this;
    for (; this.depth < params.length; this.depth++) {
      const h = this.layer.apply(params[this.depth], this.prepared, graph);
      this.scores = add(this.scores, classProbabilities(setting, h));
      this.width = setting.options.hidden;
      this.layer = hiddenLayer(setting, this.width);
      this.prepared = this.layer.prepare(unitRows(h), graph);
    }
  }
}
