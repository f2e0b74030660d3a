import { type Tensor, type TensorLike } from "@offprint/tensor-core";
import { type Grid } from "./grid.js";
/**
 * The local branch: a depthwise convolution of the values over the grid, one kernel a head, shared by its features.
 * @param values `[batch, heads, n, features]`
 * @param weight `[heads, 1, k, k]`, k odd; `[heads, 1, 1, k]` for sequences
 * @returns `[batch, heads, n, features]`
 * @throws ShapeError where grid or kernel do not fit.
 */
export declare function localBranch(values: TensorLike, weight: TensorLike, grid: Grid): Tensor;
