/** How tokens lie, row by row: `[height, width]`. A sequence of n tokens is the grid `[1, n]`. */
export type Grid = readonly [height: number, width: number];
/** Throws unless `value` is an integer of at least `least`. */
export declare function requireInteger(owner: string, option: string, value: number, least: number): void;
/** Throws unless the grid has as many cells as there are tokens. */
export declare function requireGrid(owner: string, grid: Grid, tokens: number): void;
/** The window of one bottleneck token: `ratio` cells along both axes, or along the sequence of a grid `[1, n]`. */
export declare function windowOf(grid: Grid, ratio: number): Grid;
