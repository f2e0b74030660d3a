import { type Tensor } from "@offprint/tensor-core";
import type { Grid } from "./grid.js";
/**
 * A learned table of positions resampled bilinearly to another grid: half-pixel centres, corners not aligned.
 * @param table `[height width, dim]` of the grid `from`
 * @returns `[height' width', dim]` of the grid `to`; the table itself where the grids are equal
 */
export declare function resampledPositions(table: Tensor, from: Grid, to: Grid): Tensor;
