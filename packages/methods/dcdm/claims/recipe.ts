import { random } from "@offprint/tensor-core";
import {
  type DirectionNetwork,
  type DirectionParams,
  directionNetwork,
  fitDirectionNetwork,
  macGrid,
  poissonMatrix,
  ritzPairs,
  ritzSamples,
} from "../src/index.js";

/** The empty box of the recipe. */
export const grid = [32, 32] as const;

/** The network of the recipe: 8 filters. */
export const network: DirectionNetwork = directionNetwork({ dimension: 2, filters: 8 });

/** How the shipped network is trained. */
export const recipe = { ritzSteps: 500, samples: 2000, steps: 1600, learningRate: [2e-3, 2e-4] } as const;

/** Trains by the recipe. */
export async function trainByRecipe(
  seed: string,
  options: { signal?: AbortSignal; onStep?: (part: number) => unknown } = {},
): Promise<DirectionParams> {
  const a = poissonMatrix(macGrid(grid));
  const pairs = ritzPairs(a, a.rows, recipe.ritzSteps, random.rng(`${seed}/ritz`));
  const vectors = ritzSamples(pairs, { samples: recipe.samples, rng: random.rng(`${seed}/samples`) });
  const { params } = await fitDirectionNetwork(network, a, vectors, {
    ...{ grid, steps: recipe.steps, learningRate: recipe.learningRate, seed },
    ...(options.signal && { signal: options.signal }),
    onProgress: ({ step }) => options.onStep?.(step / recipe.steps),
  });
  return params;
}
