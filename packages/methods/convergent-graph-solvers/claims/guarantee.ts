import { type Claim, figure } from "@offprint/claims";
import { attentiveMessagePassing, batch } from "@offprint/graph";
import { asTensor, concatenate, jitSync, mul, type Tensor, tree } from "@offprint/tensor-core";
import { decisionSample, iterationBound, randomDecisionGraph } from "../src/index.js";
import { type Method, method as ours } from "./method.js";

const gamma = 0.9;
const reduction = 1e-6;

/** Whatever the weights are, the iteration converges at its rate; steady-state embedding does not. */
export function guarantee(method: Method = ours): Claim {
  return {
    id: "guarantee",
    statement:
      "The fixed point is reached whatever the weights of the network are; iterating a learnt map freely is not",
    source: "Section 4.2; comparison with SSE in Section 5",
    paper: "by construction",
    async run({ rng }) {
      const samples = Array.from({ length: 4 }, () =>
        decisionSample(randomDecisionGraph({ states: 30, actions: 5, rng })),
      );
      const graph = batch(samples.map((s) => s.graph));
      const joined = (name: "nodes" | "edges") => concatenate(samples.map((s) => asTensor(s[name])));
      const [nodes, edges] = [joined("nodes"), joined("edges")];
      const layers = [
        attentiveMessagePassing({ nodeInputs: 1, edgeInputs: 1, nodeOutputs: 16, hidden: [16] }),
        attentiveMessagePassing({ nodeInputs: 16, edgeInputs: 16, nodeOutputs: 8, hidden: [16] }),
      ];
      let state = { nodes, edges };
      for (const layer of layers) {
        const wild = tree.map((x: Tensor) => mul(x, 100), layer.init(rng, "float64"));
        state = layer.apply(wild, state.nodes, state.edges, graph);
      }
      const weights = method.contractingWeights(graph, state.edges);
      const limit = iterationBound(gamma, reduction);
      const settings = { gamma, stopNorm: "max", tolerance: 1e-300, maxIterations: limit + 20 } as const;
      const changes: number[] = [];
      let failure = "";
      try {
        const { history } = await method.solveFixedPoint(graph, weights, state.nodes, settings);
        changes.push(...history.map((r) => r.change));
      } catch (error) {
        failure = (error as Error).name;
      }
      const reached = changes.findIndex((change) => change <= reduction * changes[0]) + 1;
      const sse = method.steadyStateEmbedding({ nodeInputs: 1, edgeInputs: 1, hidden: 16, maxIterations: 500 });
      const drawn = sse.init(rng, "float64");
      const changeOf = jitSync((params: typeof drawn) => sse.apply(params, { graph, nodes, edges }).change);
      const residual = changeOf(tree.map((x: Tensor) => mul(x, 100), drawn)).item();
      const tame = changeOf(drawn).item();
      return {
        measured: { "iterations of CGS": reached === 0 ? Number.NaN : reached, "change of SSE": residual },
        holds: reached > 0 && reached <= limit && !(residual <= 1e-5),
        detail:
          `With all weights of a random encoder times 100, the change must fall to 1e-6 of the first within ${limit} iterations ` +
          `(${reached === 0 ? `not reached${failure && `: ${failure}`}` : reached}); steady-state embedding with its weights times 100 must not come ` +
          `below 1e-5 in 500 (${Number.isFinite(residual) ? figure(residual) : "it overflows"}; as drawn ${figure(tame)}, which depends on the draw).`,
        series: [
          {
            kind: "line",
            title: "Change with wild weights",
            x: { label: "iteration" },
            y: { label: "largest change / first", scale: "log" },
            curves: [{ name: "CGS, gamma 0.9", y: changes.map((c) => c / changes[0]) }],
          },
        ],
      };
    },
  };
}
