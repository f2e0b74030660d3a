import { nearestWords } from "@offprint/tensor-core";

/** ` Did you mean diffgrad?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const found = nearestWords(word, known);
  return found.length === 0 ? "" : ` Did you mean ${found.join(" or ")}?`;
}
