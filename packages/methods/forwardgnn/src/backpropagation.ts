import type { Graph, GraphLayer } from "@offprint/graph";
import { logSoftmax, mul, neg, relu, softmax, sum, type Tensor } from "@offprint/tensor-core";
import { networkLayers } from "./network-layers.js";
import { hasValidation, layerOptimizer, type NodeSetting, validationAccuracy } from "./node-setting.js";
import { trainingTargets } from "./single-forward.js";
import type { Stage, StagedMethod } from "./staged-training.js";

/** The convolutions one after the other, with ReLU between them and not after the last. */
export function forwardPass(
  layers: readonly GraphLayer[],
  params: readonly unknown[],
  x: Tensor,
  graph: Graph,
): Tensor {
  return layers.reduce((h, layer, l) => layer.apply(params[l], l === 0 ? h : relu(h), graph), x);
}

function layersOf({ features, classes, options }: NodeSetting): GraphLayer[] {
  return networkLayers({ method: "bp", features: features.shape[1], classes, options });
}

/** Backpropagation through the whole network: the usual training, which the forward methods are compared with. */
export function backpropagation(setting: NodeSetting): StagedMethod {
  const { features, options, task, rng } = setting;
  const layers = layersOf(setting);
  const targets = trainingTargets(setting, "none");
  return {
    stages: 1,
    begin(): Stage<readonly unknown[], null, { x: Tensor; targets: Tensor }> {
      return {
        key: "network",
        layer: 0,
        params: layers.map((layer, l) => layer.init(rng.fork(`layer/${l}`), options.dtype)),
        carried: null,
        constants: { x: features, targets },
        loss(params, carried, constants) {
          const logits = forwardPass(layers, params, constants.x, task.graph);
          return [neg(sum(mul(logSoftmax(logits), constants.targets))), carried];
        },
        optimizer: layerOptimizer(setting),
        ...(hasValidation(setting) && {
          validate: async (params: readonly unknown[]) =>
            validationAccuracy(setting, await backpropagationScores(setting, params)),
        }),
      };
    },
  };
}

/** Class probabilities, `[nodes, C]`. */
export function backpropagationScores(setting: NodeSetting, params: readonly unknown[]): Promise<Tensor> {
  const { features, task, compiled } = setting;
  const layers = layersOf(setting);
  const scores = (p: readonly unknown[], x: Tensor) => softmax(forwardPass(layers, p, x, task.graph));
  return compiled.run("network scores", scores, params, features);
}
