import { type ClaimContext, memo } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import type { FederatedResult, FedZoOptions, FzoosOptions } from "../src/index.js";
import { quadratic } from "./benchmarks.js";
import type { Method } from "./method.js";

/** Dimension, clients. */
export const [D, N] = [20, 5];

/** FZooS at the size of the demonstration. */
export const small: FzoosOptions = {
  maxLocalQueries: 60,
  maxFeatureQueries: 150,
  active: { local: { candidates: 20 }, server: { count: 25, candidates: 50 } },
};

/** Methods by name. */
export const competitors: Readonly<Record<string, FedZoOptions>> = {
  FedZO: {},
  FedProx: { correction: "proximal" },
  "SCAFFOLD I": { correction: "scaffold1" },
  "SCAFFOLD II": { correction: "scaffold2" },
};

/** How FZooS is run, by name. */
export const variants: Readonly<Record<string, FzoosOptions>> = {
  FZooS: {},
  "FZooS, 1 / (t + 1)": { gamma: "decay" },
  "FZooS without correction": { correction: "none" },
};

/** Distance to the minimum after each round, from the start on, and what it took. */
export interface QuadraticRun {
  readonly gaps: readonly number[];
  readonly result: FederatedResult;
}

/** A run on the k-th problem of a claim; looked at by several claims. */
export const quadraticRun = memo(
  async (
    { seed, signal }: ClaimContext,
    method: Method,
    name: string,
    heterogeneity: number,
    maxIterations: number,
    k: number,
  ): Promise<QuadraticRun> => {
    const rng = random.rng(`${seed}/quadratic/${heterogeneity}/${k}`);
    const { clients, least = 0 } = quadratic(rng, D, N, heterogeneity);
    const initial = rng.uniform([D], { dtype: "float64" });
    const shared = { maxIterations, seed: `${seed}/${k}`, signal };
    const result = Object.hasOwn(variants, name)
      ? await method.fzoos({ clients, initial }, { ...small, ...variants[name], ...shared })
      : await method.fedZo({ clients, initial }, { ...competitors[name], ...shared });
    const at = Float64Array.from(initial.data());
    const start = clients.reduce((sum, f) => sum + f(at), 0) / N;
    return { gaps: [start, ...result.history.map(({ objective }) => objective)].map((v) => v - least), result };
  },
);
