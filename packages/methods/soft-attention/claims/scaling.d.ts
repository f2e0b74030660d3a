import type { Claim, ClaimContext } from "@offprint/claims";
import { type HeadAttention } from "../src/index.js";
/** The paper's headline: time and memory grow linearly with the number of tokens. */
export declare function linearScaling(soft?: HeadAttention, sizes?: readonly number[], softmaxLimit?: (scale: ClaimContext["scale"]) => number): Claim;
