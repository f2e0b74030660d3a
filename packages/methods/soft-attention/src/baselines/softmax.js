import { dotProductAttention } from "@offprint/nn";
/** Ordinary attention: `softmax(Q K^T / sqrt(features)) V`, quadratic in n. */
export function softmaxHeads() {
    return {
        sharedQueryKey: false,
        init: () => null,
        apply: (_, { query, key, value }) => dotProductAttention(query, key, value),
    };
}
