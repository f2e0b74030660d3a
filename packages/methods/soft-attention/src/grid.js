import { ShapeError, ValueError } from "@offprint/tensor-core";
/** Throws unless `value` is an integer of at least `least`. */
export function requireInteger(owner, option, value, least) {
    if (!Number.isSafeInteger(value) || value < least) {
        throw new ValueError(`${owner}: ${option} is ${value}; it must be an integer >= ${least}`);
    }
}
/** Throws unless the grid has as many cells as there are tokens. */
export function requireGrid(owner, grid, tokens) {
    const [height, width] = grid;
    requireInteger(owner, "the grid's height", height, 1);
    requireInteger(owner, "the grid's width", width, 1);
    if (height * width !== tokens) {
        throw new ShapeError(`${owner}: the grid [${grid}] has ${height * width} cells for ${tokens} tokens; make them equal`);
    }
}
/** The window of one bottleneck token: `ratio` cells along both axes, or along the sequence of a grid `[1, n]`. */
export function windowOf(grid, ratio) {
    return grid[0] === 1 ? [1, ratio] : [ratio, ratio];
}
