import type { Claim } from "@offprint/claims";
import type { Normalization } from "../src/index.js";
/** Section 4: SOFT++ keeps the scale of its output when the resolution grows. */
export declare function keepsScale(plusPlus?: Normalization, sides?: readonly [number, number]): Claim;
