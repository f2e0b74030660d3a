import type { FloatType } from "@offprint/nn";
import type { Rng, Tensor } from "@offprint/tensor-core";
import type { Grid } from "./grid.js";

/** What attention inside one layer is given, all heads at once. */
export interface HeadInputs {
  /** `[batch, heads, n, features]` */
  readonly query: Tensor;
  /** `[batch, heads, n, features]`; the queries themselves where the attention shares them. */
  readonly key: Tensor;
  /** `[batch, heads, n, features]` */
  readonly value: Tensor;
  /** How the n tokens lie. */
  readonly grid: Grid;
  /** int32 `[m]`: tokens to use as bottleneck in this call, for the `random` bottleneck in a compiled function. */
  readonly landmarks?: Tensor;
}

/** The part of an attention layer between its projections, the same for SOFT and for every baseline. */
export interface HeadAttention<P = unknown> {
  /** Whether queries are keys too: the layer then has one projection for both. */
  readonly sharedQueryKey: boolean;
  /** Draws initial parameters, shared by all heads; null where there are none. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /** `[batch, heads, n, features]`; pure and traceable. */
  apply(params: P, inputs: HeadInputs): Tensor;
}

/** A layer on tokens that lie on a grid. */
export interface GridLayer<P = unknown> {
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /**
   * `[batch, n, dim]` to the same; pure and traceable.
   * @param grid how the n tokens lie
   * @param landmarks int32 `[m]`: bottleneck tokens of this call
   */
  apply(params: P, x: Tensor, grid: Grid, landmarks?: Tensor): Tensor;
}
