import type { Graph } from "@offprint/graph";
import { add, sigmoid, type Tensor, zeros } from "@offprint/tensor-core";
import type { LocalLayer } from "./convolution.js";
import { type LinkLogit, linkLogits, linkLoss } from "./link-objectives.js";
import { hasValidationPairs, type LinkSetting, pairAuc, validationPairs } from "./link-setting.js";
import { hiddenLayer, initialParams, layerOptimizer } from "./node-setting.js";
import type { Stage, StagedMethod } from "./staged-training.js";
import { unitRows } from "./unit-rows.js";

/** Link prediction layer by layer: each layer tells linked pairs from others by its own outputs. */
export function linkLayers(setting: LinkSetting, kind: LinkLogit): StagedMethod {
  const { options, task, trainPairs, positives } = setting;
  const graph = task.split.trainGraph;
  const judged = hasValidationPairs(setting) ? validationPairs(setting) : undefined;
  let x = setting.features;
  let scores: Tensor = zeros([judged?.edges ?? 0], options.dtype);
  let depth = 0;
  const advance = (finished: readonly unknown[]) => {
    for (; depth < finished.length; depth++) {
      const layer = hiddenLayer(setting, x.shape[1]);
      x = layer.apply(finished[depth], layer.prepare(unitRows(x), graph), graph);
      if (judged !== undefined) scores = add(scores, sigmoid(linkLogits(kind, x, judged, options.theta)));
    }
  };
  return {
    stages: options.layers,
    begin(finished): Stage<unknown, null, { prepared: unknown }> {
      advance(finished);
      const layer = hiddenLayer(setting, x.shape[1]);
      const prepared = layer.prepare(unitRows(x), graph);
      const key = `layer of ${x.shape[1]}`;
      return {
        key,
        layer: finished.length + 1,
        params: initialParams(setting, layer, finished.length),
        carried: null,
        constants: { prepared },
        loss: (params, carried, constants) => [
          linkLoss(kind, layer.apply(params, constants.prepared, graph), trainPairs, positives, options.theta),
          carried,
        ],
        optimizer: layerOptimizer(setting),
        ...(judged !== undefined && {
          validate: async (params: unknown) => {
            const present = (p: unknown, input: unknown) => pairScores(setting, layer, kind, p, input, graph, judged);
            const own = await setting.compiled.run(key, present, params, prepared);
            return pairAuc(add(scores, own).data(), task.split.validation);
          },
        }),
      };
    },
  };
}

function pairScores(
  { options }: LinkSetting,
  layer: LocalLayer,
  kind: LinkLogit,
  params: unknown,
  prepared: unknown,
  graph: Graph,
  pairs: Graph,
): Tensor {
  return sigmoid(linkLogits(kind, layer.apply(params, prepared, graph), pairs, options.theta));
}

/** Outputs of every layer from its parameters, along the given messages. */
export function linkLayerOutputs(setting: LinkSetting, params: readonly unknown[], graph: Graph): Tensor[] {
  const outputs: Tensor[] = [];
  let x = setting.features;
  for (const p of params) {
    const layer = hiddenLayer(setting, x.shape[1]);
    x = layer.apply(p, layer.prepare(unitRows(x), graph), graph);
    outputs.push(x);
  }
  return outputs;
}
