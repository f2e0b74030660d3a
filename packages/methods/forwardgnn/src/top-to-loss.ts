import type { Graph } from "@offprint/graph";
import { chain, clipByGlobalNorm, type GradientTransformation } from "@offprint/optim";
import { add, div, stopGradient, type Tensor, zeros } from "@offprint/tensor-core";
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
import { singleForwardLoss } from "./objectives.js";
import { classProbabilities, trainingGraph, trainingTargets } from "./single-forward.js";
import type { Stage, StagedMethod } from "./staged-training.js";
import { unitRows } from "./unit-rows.js";

/** Outputs of one pass from below that hands raw outputs (and raw features) up; the states are their unit rows. */
function bottomUp(layers: readonly LocalLayer[], params: readonly unknown[], x: Tensor, graph: Graph): Tensor[] {
  const states: Tensor[] = [];
  let h = x;
  for (const [l, layer] of layers.entries()) {
    h = layer.apply(params[l], layer.prepare(h, graph), graph);
    states.push(unitRows(h));
  }
  return states;
}

/**
 * Per layer the mean of its raw output, from the stored state below, and the stored states of all layers above.
 * @param below `norm(X')`
 */
function layerMeans(
  layers: readonly LocalLayer[],
  params: readonly unknown[],
  states: readonly Tensor[],
  below: Tensor,
  graph: Graph,
): { means: Tensor[]; outputs: Tensor[] } {
  const outputs = layers.map((layer, l) => {
    const input = stopGradient(l === 0 ? below : states[l - 1]);
    return layer.apply(params[l], layer.prepare(input, graph), graph);
  });
  const means = outputs.map((h, l) => {
    const above = states.slice(l + 1).map((s) => stopGradient(s));
    return above.length === 0
      ? h
      : div(
          above.reduce<Tensor>((a, b) => add(a, b), h),
          above.length + 1,
        );
  });
  return { means, outputs };
}

/** Gradients clipped layer by layer before the update, as each layer has an optimizer of its own. */
function clippedLayers(setting: NodeSetting): GradientTransformation {
  const { clipNorm, layers } = setting.options;
  const plain = layerOptimizer(setting);
  const one: GradientTransformation = clipNorm === Infinity ? plain : chain(clipByGlobalNorm(clipNorm), plain);
  const listed = (tree: unknown) => tree as readonly unknown[];
  return {
    init: (params) => listed(params).map((p) => one.init(p)),
    update<P>(gradients: P, state: unknown, params: P) {
      const results = Array.from({ length: layers }, (_, l) =>
        one.update(listed(gradients)[l], listed(state)[l], listed(params)[l]),
      );
      return { updates: results.map((r) => r.updates) as P, state: results.map((r) => r.state) };
    },
  };
}

/**
 * Single-forward learning in which the loss of a layer also counts the stored states of the layers above. All layers
 * learn at once in every time step, from the old states.
 */
export function topToLoss(setting: NodeSetting): StagedMethod {
  const { options } = setting;
  const graph = trainingGraph(setting);
  const targets = trainingTargets(setting, "virtual");
  const { layers, x } = layersOf(setting);
  const params = layers.map((layer, l) => initialParams(setting, layer, l));
  return {
    stages: 1,
    begin(): Stage<readonly unknown[], Tensor[], { below: Tensor; targets: Tensor }> {
      return {
        key: "time step",
        layer: 0,
        params,
        carried: bottomUp(layers, params, x, graph),
        constants: { below: unitRows(x), targets },
        loss(p, states, constants) {
          const { means, outputs } = layerMeans(layers, p, states, constants.below, graph);
          const losses = means.map((m) => singleForwardLoss(m, constants.targets, options.tau));
          return [losses.reduce((a, b) => add(a, b)), outputs.map((h) => stopGradient(unitRows(h)))];
        },
        optimizer: clippedLayers(setting),
        ...(hasValidation(setting) && {
          validate: async (p: readonly unknown[]) => validationAccuracy(setting, await topToLossScores(setting, p)),
        }),
      };
    },
  };
}

function layersOf(setting: NodeSetting): { layers: LocalLayer[]; x: Tensor } {
  const x = augmentedFeatures(setting);
  const { layers: count, hidden } = setting.options;
  return { layers: Array.from({ length: count }, (_, l) => hiddenLayer(setting, l === 0 ? x.shape[1] : hidden)), x };
}

/** Class probabilities of the means of all layers after a pass from below, summed, `[nodes, C]`. */
export function topToLossScores(setting: NodeSetting, params: readonly unknown[]): Promise<Tensor> {
  const graph = trainingGraph(setting);
  const { layers, x } = layersOf(setting);
  const scores = (p: readonly unknown[], features: Tensor) => {
    const states = bottomUp(layers, p, features, graph);
    const { means } = layerMeans(layers, p, states, unitRows(features), graph);
    const none: Tensor = zeros([setting.task.graph.nodes, setting.classes], features.dtype);
    return means.reduce((total, m) => add(total, classProbabilities(setting, m)), none);
  };
  return setting.compiled.run("top-to-loss scores", scores, params, x);
}
