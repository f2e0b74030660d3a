import { checkOptions, requireInteger, type Tensor, take } from "@offprint/tensor-core";
import { type Initializer, initializers } from "./initializers.js";
import type { Layer } from "./layer.js";

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** Number of entries of the table. */
  count: number;
  /** Extent of each entry. */
  features: number;
  /** Default `initializers.normal(1)`. */
  weightInit?: Initializer;
}

/** Parameters of `embedding`. */
export interface EmbeddingParams {
  /** `[count, features]`. */
  readonly weight: Tensor;
}

/** Looks integers `[...]` up in a table: `[..., features]`. */
export function embedding(options: EmbeddingOptions): Layer<EmbeddingParams> {
  checkOptions("embedding", options, ["count", "features", "weightInit"], ["count", "features"]);
  const { count, features, weightInit = initializers.normal(1) } = options;
  requireInteger("embedding", "count", count, 1);
  requireInteger("embedding", "features", features, 1);
  return {
    init: (rng, dtype = "float32") => ({
      weight: weightInit(rng, [count, features], { inputs: count, outputs: features }, dtype),
    }),
    apply: (params, indices) => take(params.weight, indices),
  };
}
