import { requireObject } from "./arguments.js";
import { ValueError } from "./errors.js";
import { contiguousData, type Tensor } from "./tensor.js";

/**
 * Throws where a tensor in memory holds a value that is not finite; a traced or batched one cannot be looked into.
 * @param owner The function whose argument it is, as messages begin.
 * @throws ValueError that names the argument and the first place.
 */
export function requireFinite(owner: string, argument: string, x: Tensor): void {
  requireObject(owner, "x", x, "a tensor");
  if (x.storage.kind !== "host") return;
  const values = contiguousData(x);
  let total = 0;
  // A finite number times 0 is 0, anything else NaN.
  for (let i = 0; i < values.length; i++) total += values[i] * 0;
  if (total === 0) return;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw new ValueError(
    `${owner}: ${argument} holds ${values[at]} at position ${at}, which is not finite; look for it where ${argument} is made`,
  );
}
