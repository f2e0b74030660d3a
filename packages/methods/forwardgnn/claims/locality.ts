import { type Claim, largestDifference } from "@offprint/claims";
import { contextualBlockModel, type GraphLayer, gcn, nodeSplit } from "@offprint/graph";
import { adam, applyUpdates, crossEntropy } from "@offprint/optim";
import {
  cast,
  concatenate,
  grad,
  matmul,
  type Rng,
  random,
  relu,
  slice,
  type Tensor,
  take,
  transpose,
} from "@offprint/tensor-core";
import { augmentWithVirtualNodes, fitNodeClassifier, type NodeOptions, unitRows } from "../src/index.js";
import type { Fit, TestedTask } from "./trained.js";

const STEPS = 20;

/** The single-forward layer written out: ordinary gradients of cross-entropy on the augmented graph. */
function ordinaryTraining(task: TestedTask, layer: GraphLayer, start: any, virtual: Tensor, options: NodeOptions): any {
  const classes = virtual.shape[0];
  const graph = augmentWithVirtualNodes(task.graph, task.labels, task.train, classes);
  const x = unitRows(concatenate([task.features, virtual]));
  const known = Int32Array.from(task.train.keys()).filter((i) => task.train[i] !== 0);
  const labels = Int32Array.from(known, (i) => task.labels[i]);
  const loss = (params: any) => {
    const h = relu(layer.apply(params, x, graph));
    return crossEntropy(matmul(take(h, known), transpose(slice(h, [{ start: task.graph.nodes }]))), labels);
  };
  const optimizer = adam({ learningRate: options.learningRate as number, weightDecay: 5e-4 });
  let params = start;
  let state = optimizer.init(params);
  for (let step = 0; step < STEPS; step++) {
    const update = optimizer.update(grad(loss)(params) as any, state, params);
    params = applyUpdates(params, update.updates);
    state = update.state;
  }
  return params;
}

function smallTask(rng: Rng): TestedTask {
  const data = contextualBlockModel({ nodes: 60, classes: 3, features: 8, within: 0.3, between: 0.05, noise: 1, rng });
  return { ...data, features: cast(data.features, "float64"), ...nodeSplit(60, { rng }) };
}

/** With one layer, forward learning is ordinary training; with several, no layer depends on those above. */
export function oneLayer(train: Fit = fitNodeClassifier): Claim {
  return {
    id: "one-layer",
    statement: "A layer's training is ordinary gradient descent on its own loss, and does not depend on layers above",
    source: "Section 3.3, equation 6",
    paper: 0,
    async run(context) {
      const { validation: _, ...exact } = smallTask(context.rng);
      const virtual = context.rng.normal([3, 8], { dtype: "float64" });
      const common: NodeOptions = { hidden: 16, learningRate: 1e-2, epochs: STEPS, dtype: "float64" };
      const options: NodeOptions = { ...common, virtualFeatures: virtual, layers: 1, seed: context.seed };
      const one = await train(exact, "sf", options);
      const loss = await train(exact, "sf-top-to-loss", { ...options, clipNorm: Number.POSITIVE_INFINITY });
      const layer = gcn({ inputs: 8, outputs: 16 });
      const start = layer.init(random.rng(context.seed).fork("layer/0"), "float64");
      const ordinary = ordinaryTraining(exact, layer, start, virtual, options);
      const single = largestDifference(one.model.params[0], ordinary);
      const topToLoss = largestDifference(loss.model.params[0], ordinary);
      const three = await train(exact, "sf", { ...options, layers: 3 });
      const two = await train(exact, "sf", { ...options, layers: 2 });
      const above = largestDifference(three.model.params.slice(0, 2), two.model.params);
      return {
        measured: { "SF against autograd": single, "Top-To-Loss against autograd": topToLoss, "layers below": above },
        holds: single < 1e-10 && topToLoss < 1e-10 && above === 0,
        detail:
          `After ${STEPS} steps of Adam in float64 the parameters of one layer must differ from ordinary training by less than ` +
          `1e-10 (SF ${single.toExponential(1)}, Top-To-Loss ${topToLoss.toExponential(1)}), and layers 1 and 2 must be the ` +
          `same bits with and without a layer 3 (difference ${above}).`,
      };
    },
  };
}
