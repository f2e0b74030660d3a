import { mean, reshape, slice, type Tensor } from "@offprint/tensor-core";

/** How features of tokens become those of a sequence: their mean, those of the first token, or all side by side. */
export type Pooling = "mean" | "cls" | "flatten";

/** The words of {@link Pooling}. */
export const poolings = ["mean", "cls", "flatten"] as const;

/** `[B, tokens, d]` to `[B, d]`, or `[B, places d]`; the first and the last token are no places of the sequence where they are special. */
export function pooled(hidden: Tensor, how: Pooling, special: boolean): Tensor {
  if (how === "cls") return slice(hidden, [null, 0]);
  const places = special ? slice(hidden, [null, { start: 1, stop: hidden.shape[1] - 1 }]) : hidden;
  return how === "mean" ? mean(places, 1) : reshape(places, [places.shape[0], -1]);
}
