import { type Claim, figure, growthOf, leastIterationSeconds } from "@offprint/claims";
import { type Method, method as ours } from "./method.js";
import { randomGraph, randomMaps } from "./random-maps.js";

const nodes = [1250, 5000, 20_000];
const degree = 10;
const heads = 8;
const gamma = 0.9;

/** Work over sixteen times the edges. `clock` other than usual is for tests. */
export function linearCost(method: Method = ours, clock = leastIterationSeconds): Claim {
  return {
    id: "linear-cost",
    statement: "Work and time to a tolerance grow linearly with the edges, where dense matrices grow quadratically",
    source: "Sections 4.2 and 4.3",
    paper: "as many iterations for every size",
    async run({ rng, onProgress, signal }) {
      const products: number[] = [];
      const seconds: number[] = [];
      for (const n of nodes) {
        const graph = randomGraph(n, degree, rng);
        const { logits, bias } = randomMaps(graph, heads, rng);
        const weights = method.contractingWeights(graph, logits);
        const options = { gamma, stopNorm: "max", tolerance: 1e-6, signal } as const;
        let iterations = 0;
        const iteration = await clock(async (onProgress) => {
          ({ iterations } = await method.solveFixedPoint(graph, weights, bias, { ...options, onProgress }));
        });
        products.push(iterations * graph.edges * heads);
        seconds.push(iterations * iteration);
        await onProgress(seconds.length / nodes.length, `${n} nodes`);
      }
      const edges = nodes.map((n) => n * degree);
      const [work, time] = [growthOf(edges, products), growthOf(edges, seconds)];
      const dense = nodes.map((n, i) => (products[i] / edges[i]) * n ** 2);
      const x = { label: "edges", scale: "log" } as const;
      return {
        measured: { "products, power of the edges": work, "time, power of the edges": time },
        holds: work <= 1.1 && time <= 1.7,
        detail:
          `From ${edges[0]} to ${edges[2]} edges, ${heads} heads, to 1e-6: multiplications must grow with the power 1.1 of the edges at most (${figure(work)}; ` +
          `dense matrices take the power ${figure(growthOf(edges, dense))}), processor time with 1.7 (${figure(time)}; ${seconds.map((s) => `${figure(1e3 * s)} ms`).join(", ")}).`,
        series: [
          {
            kind: "line",
            title: "Multiplications to 1e-6",
            x,
            y: { label: "multiplications", scale: "log" },
            curves: [
              { name: "along the edges", x: edges, y: products, style: "line-points" },
              { name: "with dense matrices, as the authors' program", x: edges, y: dense, style: "line-points" },
            ],
          },
          {
            kind: "line",
            title: "Time to 1e-6",
            x,
            y: { label: "processor time", unit: "s", scale: "log" },
            curves: [{ name: "along the edges", x: edges, y: seconds, style: "line-points" }],
          },
        ],
      };
    },
  };
}
