import { type NormParams } from "@offprint/nn";
import { type Tensor } from "@offprint/tensor-core";
import { type Grid } from "./grid.js";
/** Parameters of the learned bottleneck. */
export interface ConvBottleneckParams {
    /** Kernel of the convolution, `[features, features, window height, window width]`; one for all heads, no bias. */
    readonly weight: Tensor;
    /** Of the layer normalisation that follows. */
    readonly norm: NormParams;
}
/**
 * How n tokens become m bottleneck tokens. `conv`: a convolution whose kernel and stride are the window, then layer
 * normalisation and exact GELU. `pool`: the mean of each window. `random`: tokens drawn without replacement, others for
 * another seed. `strided`: the first token of each window. `tokens`: those at `indices`, int32 `[m]`. A function gets
 * the scaled queries `[..., n, features]` and the grid, and returns `[..., m, features]`.
 */
export type Bottleneck = ({
    readonly kind: "conv";
} & ConvBottleneckParams) | {
    readonly kind: "pool";
} | {
    readonly kind: "random";
    readonly seed: number | string;
} | {
    readonly kind: "strided";
} | {
    readonly kind: "tokens";
    readonly indices: Tensor;
} | ((queries: Tensor, grid: Grid) => Tensor);
/** Where bottleneck tokens are taken. */
export interface BottleneckPlace {
    /** Of the tokens. */
    readonly grid: Grid;
    /** r: extent of a window along both axes, or along a sequence. */
    readonly ratio: number;
    /** Whether windows may reach over the edge; `conv` sees zeros there, `pool` only what is inside. Default false. */
    readonly padBottleneck?: boolean;
}
/** Windows along both axes. @throws ValueError where they do not divide the grid and may not reach over its edge. */
export declare function windowGrid({ grid, ratio, padBottleneck }: BottleneckPlace): Grid;
/** The mean of each window, `[..., m, features]`; cells beyond the edge of the grid do not count. */
export declare function pooledTokens(q: Tensor, place: BottleneckPlace): Tensor;
/** The bottleneck tokens `[..., m, features]` of scaled queries `[..., n, features]`. */
export declare function bottleneckTokens(q: Tensor, place: BottleneckPlace, bottleneck: Bottleneck): Tensor;
/**
 * A bottleneck of `rows * columns` tokens whatever the grid, each the mean of its part of it: where no ratio divides the
 * grid, or m must stay while the resolution changes. Parts may share a row or column of cells.
 */
export declare function adaptivePool(rows: number, columns?: number): (queries: Tensor, grid: Grid) => Tensor;
