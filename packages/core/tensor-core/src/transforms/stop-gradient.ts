import { asTensor } from "../construct.js";
import { isNestedTrace } from "../levels.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { detached } from "../tape.js";
import type { Tensor, TensorLike } from "../tensor.js";

/** The same values, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  const t = detached(asTensor(x));
  const { kind } = t.storage;
  return kind === "batched" || (kind === "symbolic" && isNestedTrace()) ? bindOne(stopGradientP, [t], null) : t;
}

/**
 * Stops gradients in the body of a traced loop or branch, whose gradient is taken when the body's own trace is over.
 * Graphs for backends don't have it; see `inlineCalls`.
 */
export const stopGradientP: Primitive<null> = definePrimitive<null>({
  name: "stopGradient",
  outputs: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  host: ([x]) => [detached(x)],
  batch: ([x]) => [stopGradient(x)],
});
