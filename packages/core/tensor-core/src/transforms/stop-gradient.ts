import { asTensor } from "../construct.js";
import { isNestedTrace } from "../levels.js";
import { asExample, bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { detached } from "../tape.js";
import type { Tensor, TensorLike } from "../tensor.js";

/** The same values, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  const t = asTensor(x);
  if (t.storage.kind === "batched") return asExample(stopGradient(t.storage.inner), t.storage.level);
  return t.storage.kind === "symbolic" && isNestedTrace() ? bindOne(stopGradientP, [detached(t)], null) : detached(t);
}

/**
 * Stops gradients in the body of a traced loop or branch, whose gradient is taken when the body's own trace is over.
 * Graphs for backends don't have it; see `inlineCalls`.
 */
export const stopGradientP: Primitive<null> = definePrimitive<null>({
  name: "stopGradient",
  outputs: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  host: ([x]) => [detached(x)],
  batch: ([x]) => [bindOne(stopGradientP, [x], null)],
});
