import { logicalAnd } from "../ops/elementwise.js";
import type { Tensor } from "../tensor.js";

/** Which examples take the branches that are being computed for all of them, outermost first. */
let masks: readonly Tensor[] = [];

/** Runs a branch, which counts only for the examples that `taken` says. */
export function forTaken<R>(taken: Tensor, branch: () => R): R {
  const outer = masks;
  masks = [...masks, taken];
  try {
    return branch();
  } finally {
    masks = outer;
  }
}

/** Whether a loop goes on, for each example: not where its result is thrown away, as it might never end there. */
export function goesOnFor(condition: Tensor): Tensor {
  return condition.storage.kind === "batched" ? masks.reduce(logicalAnd, condition) : condition;
}
