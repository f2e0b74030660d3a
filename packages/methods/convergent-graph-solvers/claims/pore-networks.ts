import { type Claim, figure, meanOf } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import {
  type GraphModel,
  type GraphSample,
  implicitGraphNetwork,
  poreSample,
  randomPoreNetwork,
} from "../src/index.js";
import { type Comparison, judged, type Settings, tolerance } from "./comparison.js";
import { type Method, method as ours } from "./method.js";
import { sizeOf, targetVariance } from "./training.js";
import { settingsOf } from "./tuning.js";

/** Mean squares of the errors over seeds, and sizes. */
export interface PoreFigures {
  readonly cgs: number;
  /** Of each graph network. */
  readonly networks: readonly number[];
  /** Numbers in the smallest network over those in CGS. */
  readonly smaller: number;
}

/** The criterion. */
export function judgePores({ cgs, networks, smaller }: PoreFigures): boolean {
  return cgs <= 0.8 * Math.min(...networks) && smaller >= 5;
}

// Quick: smaller networks, fewer updates, and GNN(3) alone, as GNN(5) takes twice its time.
const sizes = {
  quick: { seeds: 2, pores: 25, large: 160, tests: 6, steps: 120, batchSize: 4, mlp: [32] },
  full: { seeds: 4, pores: 30, large: 200, tests: 6, steps: 300, batchSize: 6, mlp: [64] },
} as const;

/** Pressures in networks larger than those of training. */
export const poreComparison: Comparison = {
  id: "pore-networks",
  models(method, scale) {
    const shared = { nodeInputs: 2, edgeInputs: 3, hidden: 32, mlp: sizes[scale].mlp };
    const cgs = (normalise: "attention" | "degree") =>
      method.convergentGraphSolver({ ...shared, gamma: 0.95, heads: 16, normalise, tolerance }) as GraphModel<unknown>;
    const network = (layers: number) => {
      const gnn = (reduction: "sum" | "mean") =>
        method.graphNetwork({ ...shared, layers, reduction }) as GraphModel<unknown>;
      return { sum: gnn("sum"), mean: gnn("mean") };
    };
    const models = { CGS: { attention: cgs("attention"), degree: cgs("degree") }, "GNN(3)": network(3) };
    if (scale === "quick") return models;
    const sse = (alpha: number) =>
      method.steadyStateEmbedding({ nodeInputs: 2, edgeInputs: 3, alpha }) as GraphModel<unknown>;
    const ignn = (kappa: number) => implicitGraphNetwork({ ...shared, kappa }) as GraphModel<unknown>;
    return {
      ...models,
      "GNN(5)": network(5),
      SSE: { "alpha 0.1": sse(0.1), "alpha 0.5": sse(0.5) },
      IGNN: { "kappa 0.9": ignn(0.9), "kappa 0.98": ignn(0.98) },
    };
  },
  plan(scale) {
    const { steps, batchSize } = sizes[scale];
    return { steps, batchSize };
  },
  draw(key, scale) {
    const { pores, large, tests, batchSize } = sizes[scale];
    const sample = (count: number, name: string): GraphSample => {
      const network = randomPoreNetwork({ pores: count, rng: random.rng(`${key}/${name}`) });
      return poreSample(network, network.features);
    };
    const drawn = random
      .rng(`${key}/sizes`)
      .randint([24 * batchSize], { low: pores, high: 2 * pores + 1 })
      .data();
    return {
      training: Array.from(drawn, (count: number, i: number) => sample(count, `train/${i}`)),
      large: Array.from({ length: tests }, (_, i) => sample(large, `test/${i}`)),
    };
  },
};

/** Networks larger than those of training: the fixed point carries pressures as far as it must. */
export function poreNetworks(method: Method = ours): Claim {
  return {
    id: poreComparison.id,
    statement:
      "Trained on small pore networks, CGS predicts pressures in larger ones better than graph networks that see some hops",
    source: "Section 5.1",
    paper: "lowest error of CGS, GNN, SSE and IGNN beyond the sizes of training",
    async run(context) {
      const { scale } = context;
      const { seeds, pores, large } = sizes[scale];
      const names = Object.keys(poreComparison.models(method, scale));
      const settings: Record<string, Settings> = {};
      const errors: Record<string, number[]> = {};
      const numbers: Record<string, number> = {};
      let variance = 0;
      for (let seed = 0; seed < seeds; seed++) {
        const key = `${context.seed}/pores/${seed}`;
        const draw = poreComparison.draw(key, scale);
        variance += targetVariance(draw.large) / seeds;
        for (const [m, name] of names.entries()) {
          settings[name] ??= await settingsOf(context, method, poreComparison, name);
          const { params, squared } = await judged(context, method, poreComparison, name, settings[name], draw, key);
          errors[name] = [...(errors[name] ?? []), squared];
          numbers[name] = sizeOf(params);
          await context.onProgress((seed + (m + 1) / names.length) / seeds, `${name}, seed ${seed}`);
        }
      }
      const networks = names.filter((name) => name.startsWith("GNN"));
      const cgs = meanOf(errors.CGS);
      const others = networks.map((name) => meanOf(errors[name]));
      const smaller = Math.min(...networks.map((name) => numbers[name])) / numbers.CGS;
      const told = networks.map((name, k) => `${name} (${figure(1e4 * others[k])}e-4, ${numbers[name]} parameters)`);
      return {
        measured: { "CGS / better GNN": cgs / Math.min(...others), "MSE of CGS, 1e-4": 1e4 * cgs },
        holds: judgePores({ cgs, networks: others, smaller }),
        detail:
          `Trained on ${pores} to ${2 * pores} pores, tested on ${large}; all models tuned by the same grid: the mean square of CGS (${figure(1e4 * cgs)}e-4, variance of the pressures ` +
          `${figure(1e4 * variance)}e-4) must be at most 0.8 of that of ${told.join(" and ")}, with at least 5 times fewer parameters (${numbers.CGS}).`,
        series: [
          {
            kind: "bar",
            title: `Error on networks of ${large} pores`,
            category: "model",
            categories: names,
            value: { label: "mean square" },
            bars: [{ name: "mean of the seeds", values: names.map((name) => meanOf(errors[name])) }],
          },
        ],
      };
    },
  };
}
