import type { Claim } from "@offprint/claims";
import type { HeadAttention } from "../src/index.js";
/**
 * The paper's headline at small scale: no loss of accuracy against softmax. At the quick scale networks that were
 * trained before are tested; at the full scale all attentions are trained. Three seeds.
 * @param attentions what the shipped SOFT and SOFT++ networks compute with
 */
export declare function digitParity(attentions?: Readonly<Record<string, HeadAttention>>): Claim;
