import { requireObject, type Tensor, trace, tree, valueAndGrad } from "@offprint/tensor-core";
import { type NodeMethod, nodeTraining } from "./node-classifier.js";
import { settleNodeTask } from "./node-setting.js";
import type { NodeTask } from "./node-task.js";
import { type NodeOptions, ownNodeOptions, refuseOthers } from "./options.js";
import type { Stage } from "./staged-training.js";

/** Numbers that training holds, in elements (of 4 bytes in float32), parameters and the optimizer's state apart. */
export interface TrainingMemory {
  /** Values that are kept from the forward pass for the backward pass, with the input of what is trained. */
  readonly kept: number;
  /** Most values that are there at any one time of a step. */
  readonly peak: number;
  /** The same for each stage of the training: for each layer, where layers learn one after the other. */
  readonly stages: readonly { readonly layer: number; readonly kept: number; readonly peak: number }[];
}

/**
 * What training would hold, counted in the traced training step: nothing is trained. The largest stage counts, as
 * stages follow each other.
 */
export async function trainingMemory(
  task: NodeTask,
  method: NodeMethod,
  options: NodeOptions = {},
): Promise<TrainingMemory> {
  requireObject("trainingMemory", "task", task, "{ graph, features, labels, train }");
  const setting = settleNodeTask("trainingMemory", { ...task, validation: new Uint8Array(task.graph.nodes) }, options);
  refuseOthers("trainingMemory", method, options, ownNodeOptions);
  const training = nodeTraining(setting, method);
  const finished: unknown[] = [];
  const stages: { layer: number; kept: number; peak: number }[] = [];
  for (let s = 0; s < training.stages; s++) {
    const stage = training.begin(finished);
    stages.push({ layer: stage.layer, ...stepMemory(stage) });
    finished.push(stage.params);
  }
  return {
    kept: Math.max(...stages.map(({ kept }) => kept)),
    peak: Math.max(...stages.map(({ peak }) => peak)),
    stages,
  };
}

/** Counts the step of a stage: values by when they come to be and when they are last used. */
export function stepMemory(stage: Pick<Stage, "loss" | "params" | "carried" | "constants">): {
  kept: number;
  peak: number;
} {
  const objective = valueAndGrad(stage.loss.bind(stage), { hasAux: true });
  const graph = trace(objective, stage.params, stage.carried, stage.constants);
  const [loss] = graph.outputs;
  const lossAt = graph.equations.findIndex(({ outputs }) => outputs.includes(loss));
  const last = new Map<unknown, number>();
  graph.equations.forEach(({ inputs }, i) => {
    for (const v of inputs) last.set(v, i);
  });
  // What is an output stays to the end: states that are carried on, and gradients.
  for (const v of graph.outputs) last.set(v, graph.equations.length);
  const inputs = tree.leaves<Tensor>([stage.carried, stage.constants]).reduce((total, leaf) => total + leaf.size, 0);
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  let live = inputs;
  let peak = inputs;
  let kept = inputs;
  const ends = new Map<number, number>();
  graph.equations.forEach(({ outputs }, i) => {
    for (const v of outputs) {
      const end = last.get(v) ?? i;
      live += size(v.shape);
      ends.set(end, (ends.get(end) ?? 0) + size(v.shape));
      if (i <= lossAt && end > lossAt) kept += size(v.shape);
    }
    peak = Math.max(peak, live);
    live -= ends.get(i) ?? 0;
  });
  return { kept, peak };
}
