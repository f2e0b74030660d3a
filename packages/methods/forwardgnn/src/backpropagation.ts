import type { Graph, GraphLayer } from "@offprint/graph";
import { logSoftmax, mul, neg, relu, softmax, sum, type Tensor } from "@offprint/tensor-core";
import { makeConvolution } from "./convolution.js";
import { hasValidation, layerOptimizer, type NodeSetting, validationAccuracy } from "./node-setting.js";
import type { Settled, TrainingOptions } from "./options.js";
import { trainingTargets } from "./single-forward.js";
import type { Stage, StagedMethod } from "./staged-training.js";

/**
 * The convolutions of a network trained end to end. Where the last one gives classes, the heads of its attention are
 * averaged.
 */
export function network(options: Settled<TrainingOptions>, inputs: number, classes?: number): GraphLayer[] {
  const { layers, hidden, convolution, heads } = options;
  return Array.from({ length: layers }, (_, l) => {
    const from = l === 0 ? inputs : hidden;
    if (l < layers - 1 || classes === undefined) return makeConvolution(convolution, from, hidden, heads);
    return makeConvolution(convolution, from, classes, heads, "mean");
  });
}

/** The convolutions one after the other, with ReLU between them and not after the last. */
export function forwardPass(
  layers: readonly GraphLayer[],
  params: readonly unknown[],
  x: Tensor,
  graph: Graph,
): Tensor {
  return layers.reduce((h, layer, l) => layer.apply(params[l], l === 0 ? h : relu(h), graph), x);
}

/** Backpropagation through the whole network: the usual training, which the forward methods are compared with. */
export function backpropagation(setting: NodeSetting): StagedMethod {
  const { features, options, task, classes, rng } = setting;
  const layers = network(options, features.shape[1], classes);
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
  const { features, options, task, classes, compiled } = setting;
  const layers = network(options, features.shape[1], classes);
  const scores = (p: readonly unknown[], x: Tensor) => softmax(forwardPass(layers, p, x, task.graph));
  return compiled.run("network scores", scores, params, features);
}
