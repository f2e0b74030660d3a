import { asTensor } from "../construct.js";
import { asExample } from "../primitive.js";
import { detached } from "../tape.js";
import type { Tensor, TensorLike } from "../tensor.js";

/** The same values, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  const t = asTensor(x);
  return t.storage.kind === "batched" ? asExample(stopGradient(t.storage.inner), t.storage.level) : detached(t);
}
