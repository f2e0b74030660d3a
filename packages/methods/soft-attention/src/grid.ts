import { requireInteger, ShapeError } from "@offprint/tensor-core";

/** How tokens lie, row by row: `[height, width]`. A sequence of n tokens is the grid `[1, n]`. */
export type Grid = readonly [height: number, width: number];

/** Throws unless the grid has as many cells as there are tokens. */
export function requireGrid(owner: string, grid: Grid, tokens: number): void {
  const [height, width] = grid;
  requireInteger(owner, "the grid's height", height, 1);
  requireInteger(owner, "the grid's width", width, 1);
  if (height * width !== tokens) {
    throw new ShapeError(
      `${owner}: the grid [${grid}] has ${height * width} cells for ${tokens} tokens; make them equal`,
    );
  }
}

/** The window of one bottleneck token: `ratio` cells along both axes, or along the sequence of a grid `[1, n]`. */
export function windowOf(grid: Grid, ratio: number): Grid {
  return grid[0] === 1 ? [1, ratio] : [ratio, ratio];
}
