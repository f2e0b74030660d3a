import type { Graph } from "@offprint/graph";
import { add, concatenate, stopGradient, type Tensor, tensor, zeros } from "@offprint/tensor-core";
import type { LocalLayer } from "./convolution.js";
import { inputWidth } from "./network-layers.js";
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

/** Layers that read the states of both their neighbours, and what stays the same below and above them. */
export interface Stack {
  readonly layers: readonly LocalLayer[];
  readonly graph: Graph;
  /** Whether layers 1, 3, ... go before layers 2, 4, ... in a time step. */
  readonly alternating: boolean;
}

/** Unit rows of the lowest state, and of the highest where there is one. */
export interface StackEnds {
  readonly below: Tensor;
  readonly above: Tensor | null;
}

/** Numbers (from 0) of the layers in the groups that act one after the other. */
function groupsOf({ layers, alternating }: Stack): number[][] {
  const all = [...layers.keys()];
  return alternating ? [all.filter((l) => l % 2 === 0), all.filter((l) => l % 2 === 1)] : [all];
}

function inputOf(states: readonly Tensor[], { below, above }: StackEnds, l: number): Tensor {
  const lower = l === 0 ? below : unitRows(states[l - 1]);
  const upper = l === states.length - 1 ? above : unitRows(states[l + 1]);
  return stopGradient(upper === null ? lower : concatenate([lower, upper], 1));
}

/**
 * One time step: the output of every layer from its present parameters, `outputs[l]` with gradients for the layer alone,
 * and the new states. A layer reads the newest states of its neighbours in this step, those of its own group the old ones.
 */
export function timeStep(
  stack: Stack,
  params: readonly unknown[],
  states: readonly Tensor[],
  ends: StackEnds,
): { outputs: Tensor[]; states: Tensor[] } {
  const outputs: Tensor[] = [];
  const next = [...states];
  for (const group of groupsOf(stack)) {
    const read = [...next];
    for (const l of group) {
      const layer = stack.layers[l];
      outputs[l] = layer.apply(params[l], layer.prepare(inputOf(read, ends, l), stack.graph), stack.graph);
      next[l] = stopGradient(outputs[l]);
    }
  }
  return { outputs, states: next };
}

/** States of one pass from below, with zeros for the states above. */
export function bottomUp(stack: Stack, params: readonly unknown[], ends: StackEnds, width: number): Tensor[] {
  const states: Tensor[] = [];
  let lower = ends.below;
  for (const [l, layer] of stack.layers.entries()) {
    const last = l === stack.layers.length - 1;
    const upperWidth = last ? (ends.above?.shape[1] ?? 0) : width;
    const missing = zeros([lower.shape[0], upperWidth], lower.dtype);
    const input = upperWidth === 0 ? lower : concatenate([lower, missing], 1);
    const h = stopGradient(layer.apply(params[l], layer.prepare(input, stack.graph), stack.graph));
    states.push(h);
    lower = unitRows(h);
  }
  return states;
}

/** `Y'`: one-hot classes of training and virtual nodes, uniform for the others, `[nodes + C, C]`. */
export function labelState({ task, classes, options }: NodeSetting): Tensor {
  const { nodes } = task.graph;
  const out = new Float64Array((nodes + classes) * classes).fill(1 / classes);
  const mark = (row: number, k: number) => {
    out.fill(0, row * classes, (row + 1) * classes);
    out[row * classes + k] = 1;
  };
  for (let i = 0; i < nodes; i++) if (task.train[i] !== 0) mark(i, task.labels[i]);
  for (let k = 0; k < classes; k++) mark(nodes + k, k);
  return tensor(out, { shape: [nodes + classes, classes], dtype: options.dtype });
}

function stackOf(setting: NodeSetting): { stack: Stack; ends: StackEnds } {
  const { options, classes } = setting;
  const x = augmentedFeatures(setting);
  const kind = { method: "sf-top-to-input", features: x.shape[1], classes, options };
  const layers = Array.from({ length: options.layers }, (_, l) => hiddenLayer(setting, inputWidth(kind, l)));
  return {
    stack: { layers, graph: trainingGraph(setting), alternating: options.alternating },
    ends: { below: unitRows(x), above: unitRows(labelState(setting)) },
  };
}

/** Single-forward learning in which each layer also reads the layer above: all layers learn in every time step. */
export function topToInput(setting: NodeSetting): StagedMethod {
  const { options } = setting;
  const { stack, ends } = stackOf(setting);
  const targets = trainingTargets(setting, "virtual");
  const params = stack.layers.map((layer, l) => initialParams(setting, layer, l));
  return {
    stages: 1,
    begin(): Stage<readonly unknown[], Tensor[], { ends: StackEnds; targets: Tensor }> {
      return {
        key: "time step",
        layer: 0,
        params,
        carried: bottomUp(stack, params, ends, options.hidden),
        constants: { ends, targets },
        loss(p, states, constants) {
          const step = timeStep(stack, p, states, constants.ends);
          const losses = step.outputs.map((h) => singleForwardLoss(h, constants.targets, options.tau));
          return [losses.reduce((a, b) => add(a, b)), step.states];
        },
        optimizer: layerOptimizer(setting),
        ...(hasValidation(setting) && {
          validate: async (p: readonly unknown[]) =>
            validationAccuracy(setting, await sweepScores(setting, stack, ends, p)),
        }),
      };
    },
  };
}

/** Class probabilities summed over layers and late sweeps, `[nodes, C]`. */
export function topToInputScores(setting: NodeSetting, params: readonly unknown[]): Promise<Tensor> {
  const { stack, ends } = stackOf(setting);
  return sweepScores(setting, stack, ends, params);
}

async function sweepScores(
  setting: NodeSetting,
  stack: Stack,
  ends: StackEnds,
  params: readonly unknown[],
): Promise<Tensor> {
  const { compiled, options } = setting;
  const { sweeps, collectFrom, hidden } = options;
  const start = (p: readonly unknown[], e: StackEnds) => bottomUp(stack, p, e, hidden);
  const sweep = (p: readonly unknown[], states: Tensor[], e: StackEnds) => {
    const next = timeStep(stack, p, states, e);
    const probabilities = next.outputs.map((h) => classProbabilities(setting, h));
    return { states: next.states, scores: probabilities.reduce((a, b) => add(a, b)) };
  };
  let states = await compiled.run("bottom up", start, params, ends);
  let scores: Tensor = zeros([setting.task.graph.nodes, setting.classes], options.dtype);
  for (let r = 0; r < sweeps; r++) {
    const result = await compiled.run("sweep", sweep, params, states, ends);
    states = result.states;
    if (r >= collectFrom) scores = add(scores, result.scores);
  }
  return scores;
}
