import { compare, python } from "@offprint/bench";
import { Graph } from "@offprint/graph";
import { grad, jitSync, mean, random, square, sub, type Tensor } from "@offprint/tensor-core";
import { filledBatch, inputOf } from "../src/batches.js";
import { checkedContraction, contractingMap } from "../src/contraction.js";
import {
  contractingWeights,
  contraction,
  convergentGraphSolver,
  decisionSample,
  randomDecisionGraph,
  solveFixedPoint,
} from "../src/index.js";

const peers = python(new URL("fixed_point_peers.py", import.meta.url));

function randomGraph(nodes: number, edges: number): Graph {
  const draw = (key: string) => random.rng(key).randint([edges], { high: nodes }).data() as Int32Array;
  return new Graph(nodes, draw("sources"), draw("targets"));
}

/** How long do the fixed points of 16 heads take beside SciPy's CSR products, as the graph grows? */
export async function run() {
  for (const [nodes, edges] of [
    [6_250, 62_500],
    [25_000, 250_000],
    [100_000, 1_000_000],
  ]) {
    const graph = randomGraph(nodes, edges);
    const rng = random.rng("maps");
    const logits = rng.uniform([edges, 16], { dtype: "float64" });
    const bias = rng.normal([nodes, 16], { dtype: "float64" });
    const weights = contractingWeights(graph, logits);
    const solve = { gamma: 0.9, tolerance: 1e-300, maxIterations: 20 };
    await compare({
      name: `20 iterations, ${nodes} nodes, ${edges} edges, 16 heads, float64`,
      ours: () => solveFixedPoint(graph, weights, bias, solve),
      peers: { "scipy.sparse": peers.peer("iterations", nodes, edges, 16, 20) },
      work: { amount: 20 * edges * 16, unit: "products" },
      maxRatio: 1.5,
      repetitions: 5,
    });
    const settings = checkedContraction("bench", { gamma: 0.9 }, 1);
    const map = contractingMap(graph, settings);
    const adjoint = jitSync((a: Tensor, b: Tensor) =>
      grad((x: Tensor) => mean(square(map(x, { weights: a, bias: b }))))(b),
    );
    await compare({
      name: `one iteration and its transpose, ${nodes} nodes, ${edges} edges`,
      ours: () => adjoint(weights, bias),
      peers: { "scipy.sparse": peers.peer("transposed", nodes, edges, 16) },
      maxRatio: 1.5,
      repetitions: 5,
    });
  }
  const small = randomGraph(1000, 4000);
  const rng = random.rng("small");
  const weights = contractingWeights(small, rng.uniform([4000, 4], { dtype: "float64" }));
  const bias = rng.normal([1000, 4], { dtype: "float64" });
  const compiled = jitSync((a: Tensor, b: Tensor) => contraction(small, a, b, { gamma: 0.9, tolerance: 1e-10 }).h);
  await compare({
    name: "solution to 1e-10, 1000 nodes, 4 heads, gamma 0.9",
    ours: () => compiled(weights, bias),
    peers: { spsolve: peers.peer("spsolve", 1000, 4000, 4) },
    maxRatio: 1.5,
    repetitions: 7,
  });
  const samples = Array.from({ length: 8 }, (_, i) =>
    decisionSample(randomDecisionGraph({ states: 40, actions: 5, rng: random.rng(`states ${i}`) })),
  );
  const model = convergentGraphSolver({
    nodeInputs: 1,
    edgeInputs: 1,
    heads: 16,
    hiddenLayers: 1,
    hidden: 32,
    gamma: 0.5,
  });
  const params = model.init(random.rng("model"));
  const batch = filledBatch("bench", model, samples, "float32");
  const step = jitSync((p: typeof params, b: typeof batch) =>
    grad((q: typeof params) => mean(square(sub(model.apply(q, inputOf(b)).y, 1))))(p),
  );
  await compare({
    name: "loss and gradient, 8 decision graphs of 40 states, 16 heads, 50 iterations of dense matrices",
    ours: () => step(params, batch),
    peers: { torch: peers.peer("torch_step", 8, 40, 5, 16, 32) },
    maxRatio: 0.7,
    repetitions: 7,
  });
}
