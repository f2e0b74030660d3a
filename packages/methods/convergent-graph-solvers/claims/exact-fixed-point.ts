import { type Claim, figure, largestDifference, medianOf } from "@offprint/claims";
import type { Graph } from "@offprint/graph";
import { expandDims, linalg, onesLike, squeeze, type Tensor, tensor, transpose } from "@offprint/tensor-core";
import { iterationBound } from "../src/index.js";
import { type Method, method as ours } from "./method.js";
import { randomGraph, randomMaps } from "./random-maps.js";

const heads = 3;
const sizes = [100, 1000, 10_000];
const graphsOf = [7, 3, 1];

/** `(I - gamma A_m)^-1 b_m` of every head by dense factorisations. */
function direct(graph: Graph, weights: Tensor, bias: Tensor, gamma: number): Tensor {
  const n = graph.nodes;
  const matrices = new Float64Array(heads * n * n);
  const a = weights.data();
  for (let m = 0; m < heads; m++) {
    for (let i = 0; i < n; i++) matrices[m * n * n + i * n + i] = 1;
    for (let e = 0; e < graph.edges; e++) {
      matrices[m * n * n + graph.targets[e] * n + graph.sources[e]] -= gamma * a[e * heads + m];
    }
  }
  const solved = linalg.solve(tensor(matrices, { shape: [heads, n, n] }), expandDims(transpose(bias), -1));
  return transpose(squeeze(solved, -1));
}

/** Figures of the claim. */
export interface ExactFigures {
  /** Largest difference from the direct solution. */
  readonly difference: number;
  /** Largest ratio of successive changes, divided by gamma. */
  readonly ratio: number;
  /** Iterations by gamma, then by size. */
  readonly iterations: readonly (readonly number[])[];
  /** Iterations that suffice, likewise. */
  readonly bounds: readonly (readonly number[])[];
}

/** The criterion. */
export function judgeExact({ difference, ratio, iterations, bounds }: ExactFigures): boolean {
  const even = iterations.every((row) => Math.max(...row) - Math.min(...row) <= 3);
  const bounded = iterations.every((row, g) => row.every((count, k) => count <= bounds[g][k]));
  return difference <= 1e-10 && ratio <= 1 + 1e-6 && even && bounded;
}

/** The fixed point is exact, the rate is gamma at most, and the size of the graph does not matter. */
export function exactFixedPoint(method: Method = ours): Claim {
  return {
    id: "exact-fixed-point",
    statement:
      "The iteration gives the solution of the linear system, contracts by gamma, and takes as long on large graphs",
    source: "Sections 4.2 and 4.3, Theorem 1",
    paper: "exact",
    async run({ rng, onProgress }) {
      const gamma = 0.9;
      const graph = randomGraph(200, 4, rng);
      const { logits, bias } = randomMaps(graph, heads, rng);
      const options = { gamma, stopNorm: "max", tolerance: 1e-12 } as const;
      const weights = method.contractingWeights(graph, logits);
      const run = await method.solveFixedPoint(graph, weights, bias, options);
      const difference = largestDifference(run.x, direct(graph, weights, bias, gamma));
      const full = method.contractingWeights(graph, onesLike(logits));
      const slowest = await method.solveFixedPoint(graph, full, bias, options);
      const ratio = Math.max(...[run, slowest].map(({ history }) => largestRatio(history.map((r) => r.change))));
      const iterations: number[][] = [];
      const bounds: number[][] = [];
      const changes: number[][] = [];
      for (const [g, factor] of [0.5, 0.9].entries()) {
        iterations.push([]);
        bounds.push([]);
        for (const [k, n] of sizes.entries()) {
          const counts: number[] = [];
          let [bound, last] = [Number.POSITIVE_INFINITY, [] as number[]];
          // Small graphs differ from one another by more than sizes do.
          for (let draw = 0; draw < graphsOf[k]; draw++) {
            const large = randomGraph(n, 4, rng);
            const maps = randomMaps(large, heads, rng);
            const values = method.contractingWeights(large, maps.logits);
            const settings = { gamma: factor, stopNorm: "max", tolerance: 1e-10 } as const;
            const { history, iterations: count } = await method.solveFixedPoint(large, values, maps.bias, settings);
            counts.push(count);
            bound = Math.min(bound, iterationBound(factor, (1e-10 * (1 - factor)) / history[0].change));
            last = history.map((r) => r.change);
          }
          iterations[g].push(medianOf(counts));
          bounds[g].push(bound);
          if (g === 1) changes.push(last);
          await onProgress((g * 3 + iterations[g].length) / 6, `${n} nodes, gamma ${factor}`);
        }
      }
      const figures = { difference, ratio: ratio / gamma, iterations, bounds };
      return {
        measured: { difference, "largest ratio / gamma": figures.ratio, "iterations, 10 000 nodes": iterations[1][2] },
        holds: judgeExact(figures),
        detail:
          `On 200 nodes the fixed point must be within 1e-10 of a dense solution (${figure(difference)}), and no change more than gamma ` +
          `times the one before it (${figure(ratio)} of ${gamma}, with all weights 1 too). Iterations to 1e-10 (median over 7, 3, 1 graphs) must differ by at most 3 between ` +
          `100, 1000 and 10 000 nodes and stay below the bound: ${iterations[0].join(", ")} for gamma 0.5 (bound ${bounds[0].join(", ")}), ` +
          `${iterations[1].join(", ")} for 0.9 (${bounds[1].join(", ")}).`,
        series: [
          {
            kind: "line",
            title: "Change of an iteration, gamma 0.9",
            x: { label: "iteration" },
            y: { label: "largest change", scale: "log" },
            curves: sizes.map((n, k) => ({ name: `${n} nodes`, y: changes[k] })),
          },
        ],
      };
    },
  };
}

/** Largest ratio of successive changes, as long as rounding plays no part. */
function largestRatio(changes: readonly number[]): number {
  let largest = 0;
  for (let k = 1; k < changes.length; k++)
    if (changes[k] > 1e-9) largest = Math.max(largest, changes[k] / changes[k - 1]);
  return largest;
}
