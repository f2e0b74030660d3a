// Does one step of training, compiled as a whole, run at the level of the same model in PyTorch? And what does it cost
// to aggregate once per layer rather than once per epoch?
import { compare, python } from "@offprint/bench";
import { digits } from "@offprint/datasets";
import { contextualBlockModel, nearestNeighbourGraph } from "@offprint/graph";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { type Backend, div, jit, random, sum } from "@offprint/tensor-core";
import type { NodeOptions, NodeTask } from "../src/index.js";
import { type NodeMethod, nodeTraining } from "../src/node-classifier.js";
import { settleNodeTask } from "../src/node-setting.js";
import { stageStep } from "../src/staged-training.js";

const torch = python(new URL("torch_peers.py", import.meta.url));

function digitTask(): NodeTask {
  const set = digits();
  const graph = nearestNeighbourGraph(set.inputs, 8);
  const features = div(set.inputs, sum(set.inputs, { axis: 1, keepDims: true }));
  return { graph, features, labels: set.targets.data() as Int32Array, train: firstNodes(graph.nodes) };
}

/** 20 000 nodes, about 200 000 edges in both directions. */
function largeTask(): NodeTask {
  const [within, between] = [0.0008, 0.0004];
  const options = { nodes: 20_000, classes: 4, features: 64, within, between, noise: 1.5, rng: random.rng(0) };
  const data = contextualBlockModel(options);
  return { ...data, train: firstNodes(20_000) };
}

function firstNodes(nodes: number): Uint8Array {
  return Uint8Array.from({ length: nodes }, (_, i) => (i < 0.64 * nodes ? 1 : 0));
}

/** A compiled step of the last stage that a method has, so that its input is as wide as the layers. */
async function compiledStep(backend: Backend, task: NodeTask, method: NodeMethod, options: NodeOptions) {
  const training = nodeTraining(settleNodeTask("bench", task, { hidden: 128, ...options }), method);
  const finished: any[] = [];
  let stage = await training.begin(finished);
  while (finished.length < training.stages - 1) {
    finished.push(stage.params);
    stage = await training.begin(finished);
  }
  const step = jit(stageStep(stage), { backend });
  let params = stage.params;
  let state: any = stage.optimizer.init(stage.params);
  let carried = stage.carried;
  return async () => {
    const result = await step(params, state, carried, stage.constants);
    params = result.params;
    state = result.optimizerState;
    carried = result.carried;
  };
}

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const small = digitTask();
  const shape = [small.graph.nodes, small.graph.edges, 64, 10];
  for (const convolution of ["gcn", "sage", "gat"] as const) {
    await compare({
      name: `BP step, ${convolution}, 2 layers, 1797 digits, H=128`,
      ours: await compiledStep(backend, small, "bp", { convolution, layers: 2 }),
      peers: { torch: torch.peer("backpropagation", convolution, ...shape, 2) },
      maxRatio: 1.2,
    });
  }
  const cached = await compiledStep(backend, small, "sf", { layers: 2 });
  const uncached = await compiledStep(backend, small, "sf", { layers: 2, cache: false });
  await compare({
    name: "SF step of a layer, gcn, 1797 digits, H=128",
    ours: cached,
    peers: { torch: torch.peer("single_forward", ...shape, true) },
    maxRatio: 1.2,
  });
  await compare({
    name: "SF step aggregating every epoch, the same",
    ours: uncached,
    peers: { torch: torch.peer("single_forward", ...shape, false) },
    maxRatio: 1.2,
  });
  await compare({
    name: "SF step aggregating once, against every epoch",
    ours: cached,
    peers: { uncached },
    maxRatio: 0.6,
  });
  await compare({
    name: "SF step, gat, the same",
    ours: await compiledStep(backend, small, "sf", { convolution: "gat", layers: 2 }),
    peers: { torch: torch.peer("single_forward_gat", ...shape) },
    maxRatio: 1.2,
  });
  const large = largeTask();
  const size = [large.graph.nodes, large.graph.edges, 64, 4];
  await compare({
    name: `SF step of a layer, gcn, 20000 nodes, ${large.graph.edges} edges, H=128`,
    ours: await compiledStep(backend, large, "sf", { layers: 2 }),
    peers: { torch: torch.peer("single_forward", ...size, true) },
    maxRatio: 1.2,
    repetitions: 7,
  });
  await compare({
    name: "BP step, gcn, 2 layers, the same",
    ours: await compiledStep(backend, large, "bp", { layers: 2 }),
    peers: { torch: torch.peer("backpropagation", "gcn", ...size, 2) },
    maxRatio: 1.2,
    repetitions: 7,
  });
  await backend.release();
}
