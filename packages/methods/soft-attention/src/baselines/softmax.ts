import { dotProductAttention } from "@offprint/nn";
import type { HeadAttention } from "../head-attention.js";

/** Ordinary attention: `softmax(Q K^T / sqrt(features)) V`, quadratic in n. */
export function softmaxHeads(): HeadAttention<null> {
  return {
    sharedQueryKey: false,
    init: () => null,
    apply: (_, { query, key, value }) => dotProductAttention(query, key, value),
  };
}
