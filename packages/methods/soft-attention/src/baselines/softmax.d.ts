import type { HeadAttention } from "../head-attention.js";
/** Ordinary attention: `softmax(Q K^T / sqrt(features)) V`, quadratic in n. */
export declare function softmaxHeads(): HeadAttention<null>;
