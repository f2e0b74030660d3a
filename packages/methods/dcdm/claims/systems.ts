import { type ClaimContext, memo } from "@offprint/claims";
import { conjugateGradientsSync, incompleteCholesky } from "@offprint/solvers";
import { type Rng, sparse } from "@offprint/tensor-core";
import {
  type DirectionParams,
  directionsBy,
  type MacGrid,
  macGrid,
  poissonMatrix,
  shippedNetwork,
} from "../src/index.js";
import { network, trainByRecipe } from "./recipe.js";

/** White noise that leaves solid cells alone. */
export function noise(rng: Rng, grid: MacGrid): Float64Array {
  const values = rng.normal([grid.solid.length], { dtype: "float64" }).data() as Float64Array;
  return values.map((value, cell) => (grid.solid[cell] ? 0 : value));
}

/** Two smooth bumps of opposite sign. */
export function bumps([rows, columns]: readonly number[]): Float64Array {
  const bump = (x: number, y: number, cx: number, cy: number, width: number) =>
    Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / width);
  return Float64Array.from({ length: rows * columns }, (_, cell) => {
    const [x, y] = [Math.floor(cell / columns) / rows, (cell % columns) / columns];
    return bump(x, y, 0.3, 0.6, 0.01) - bump(x, y, 0.6, 0.4, 0.02);
  });
}

/** Four of white noise, one of A times white noise, and a smooth one. */
export function rightSides(rng: Rng, grid: MacGrid, a: sparse.CsrMatrix): Float64Array[] {
  const white = Array.from({ length: 4 }, () => noise(rng, grid));
  return [...white, sparse.multiplyVector(a, noise(rng, grid)), bumps(grid.extents)];
}

/** A box with a solid disc a little above its middle. */
export function boxWithDisc(size: number): MacGrid {
  return macGrid([size, size], ([i, j]) => (i / size - 0.5) ** 2 + (j / size - 0.55) ** 2 < 0.12 ** 2);
}

/** The network that is judged: that which ships, or at full scale one that is trained for it. */
export const judged = memo(async ({ scale, seed, signal, onProgress }: ClaimContext): Promise<DirectionParams> => {
  if (scale === "quick") return (await shippedNetwork()).params;
  return trainByRecipe(String(seed), { signal, onStep: (part) => onProgress(0.9 * part) });
});

/** Directions of the judged network on a grid. */
export function directions(params: DirectionParams, grid: MacGrid) {
  return directionsBy(network, params, grid.extents);
}

/** Iterations of conjugate gradients, plain and with an incomplete Cholesky factorisation. */
export function rivals(grid: MacGrid, b: Float64Array, tolerance = 1e-4): { plain: number; incomplete: number } {
  const a = poissonMatrix(grid);
  // Solid cells get a one on the diagonal: their unknowns are 0.
  const whole = sparse.add(a, sparse.diagonal(Float64Array.from(grid.solid)));
  return {
    plain: conjugateGradientsSync(a, b, { tolerance }).iterations,
    incomplete: conjugateGradientsSync(whole, b, { tolerance, preconditioner: incompleteCholesky(whole).apply })
      .iterations,
  };
}
