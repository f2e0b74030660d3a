import { isTensor, type Rng, ShapeError, type Tensor, type TensorLike } from "@offprint/tensor-core";

/** Element type of parameters. */
export type FloatType = "float32" | "float64";

/**
 * A layer: how to make its parameters, and what it computes with them. It holds no state; parameters are a tree of
 * tensors that the caller keeps, trains and saves.
 */
export interface Layer<P = unknown, X = TensorLike, Y = Tensor> {
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /** The layer's output; pure and traceable. */
  apply(params: P, input: X): Y;
}

/** Throws unless the extent of `x` along `axis` is `extent`. */
export function requireExtent(owner: string, x: Tensor, axis: number, extent: number, meaning: string): void {
  const at = axis < 0 ? axis + x.rank : axis;
  if (x.shape[at] !== extent) {
    throw new ShapeError(
      `${owner}: the input has shape [${x.shape}]; axis ${axis} must be the ${extent} ${meaning} that the layer was made for`,
    );
  }
}

/** Whether a value is a layer and not a plain function. */
export function isLayer(value: unknown): value is Layer {
  return typeof value === "object" && value !== null && !isTensor(value) && "init" in value && "apply" in value;
}
