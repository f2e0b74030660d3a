import { nearestWords, requireObject } from "@offprint/tensor-core";

/** ` Did you mean diffgrad?` where a known word is near, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  requireObject("didYouMean", "known", known, "an array of texts");
  const found = nearestWords(word, known);
  return found.length === 0 ? "" : ` Did you mean ${found.join(" or ")}?`;
}
