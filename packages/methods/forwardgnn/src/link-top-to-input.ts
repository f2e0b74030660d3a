import type { Graph } from "@offprint/graph";
import { add, sigmoid, type Tensor } from "@offprint/tensor-core";
import { linkLogits, linkLoss } from "./link-objectives.js";
import { hasValidationPairs, type LinkSetting, pairAuc, validationPairs } from "./link-setting.js";
import { inputWidth } from "./network-layers.js";
import { hiddenLayer, initialParams, layerOptimizer } from "./node-setting.js";
import type { Stage, StagedMethod } from "./staged-training.js";
import { bottomUp, type Stack, type StackEnds, timeStep } from "./top-to-input.js";
import { unitRows } from "./unit-rows.js";

/** There is no state above the top layer, which reads the layer below only. */
function stackOf(setting: LinkSetting, graph: Graph): { stack: Stack; ends: StackEnds } {
  const { features, options } = setting;
  const kind = { method: "ce-top-to-input", features: features.shape[1], options };
  const layers = Array.from({ length: options.layers }, (_, l) => hiddenLayer(setting, inputWidth(kind, l)));
  return {
    stack: { layers, graph, alternating: options.alternating },
    ends: { below: unitRows(features), above: null },
  };
}

/** Link prediction in which each layer also reads the layer above, all learning in every time step. */
export function linkTopToInput(setting: LinkSetting): StagedMethod {
  const { options, task, trainPairs, positives } = setting;
  const { stack, ends } = stackOf(setting, task.split.trainGraph);
  const params = stack.layers.map((layer, l) => initialParams(setting, layer, l));
  const judged = hasValidationPairs(setting) ? validationPairs(setting) : undefined;
  return {
    stages: 1,
    begin(): Stage<readonly unknown[], Tensor[], { ends: StackEnds }> {
      return {
        key: "time step",
        layer: 0,
        params,
        carried: bottomUp(stack, params, ends, options.hidden),
        constants: { ends },
        loss(p, states, constants) {
          const step = timeStep(stack, p, states, constants.ends);
          const losses = step.outputs.map((z) => linkLoss("ce", z, trainPairs, positives, options.theta));
          return [losses.reduce((a, b) => add(a, b)), step.states];
        },
        optimizer: layerOptimizer(setting),
        ...(judged !== undefined && {
          validate: async (p: readonly unknown[]) => {
            const scores = await linkSweepScores(setting, p, task.split.trainGraph, judged);
            return pairAuc(scores.data(), task.split.validation);
          },
        }),
      };
    },
  };
}

/** The states of every layer after each sweep that counts. */
async function sweeps(
  setting: LinkSetting,
  params: readonly unknown[],
  graph: Graph,
  key: string,
): Promise<Tensor[][]> {
  const { compiled, options } = setting;
  const { stack, ends } = stackOf(setting, graph);
  const start = (p: readonly unknown[], e: StackEnds) => bottomUp(stack, p, e, options.hidden);
  const sweep = (p: readonly unknown[], s: Tensor[], e: StackEnds) => timeStep(stack, p, s, e).states;
  let states = await compiled.run(`bottom up ${key}`, start, params, ends);
  const collected: Tensor[][] = [];
  for (let r = 0; r < options.sweeps; r++) {
    states = await compiled.run(`sweep ${key}`, sweep, params, states, ends);
    if (r >= options.collectFrom) collected.push(states);
  }
  return collected;
}

/** Means of sigmoids of logits over late sweeps and layers, `[pairs]`. */
export async function linkSweepScores(
  setting: LinkSetting,
  params: readonly unknown[],
  graph: Graph,
  pairs: Graph,
): Promise<Tensor> {
  const key = graph === setting.task.split.trainGraph ? "train" : "test";
  const states = (await sweeps(setting, params, graph, key)).flat();
  const scores = states.map((z) => sigmoid(linkLogits("ce", z, pairs, setting.options.theta)));
  return scores.reduce((a, b) => add(a, b)).div(scores.length);
}

/** The states of every layer after the last sweep. */
export async function linkSweepOutputs(
  setting: LinkSetting,
  params: readonly unknown[],
  graph: Graph,
): Promise<Tensor[]> {
  const states = await sweeps(setting, params, graph, "outputs");
  return states[states.length - 1];
}
