import { defineClaims } from "@offprint/claims";
import { approximationQuality } from "./approximation.js";
import { denoising } from "./denoising.js";
import { digitParity } from "./digits.js";
import { equalTokens, spectralFilter } from "./pseudo-inverse.js";
import { keepsScale } from "./scale.js";
import { linearScaling } from "./scaling.js";
/** What the papers on SOFT and SOFT++ say, as programs. */
export const claims = defineClaims({
    method: "soft-attention",
    claims: [
        spectralFilter(),
        equalTokens(),
        approximationQuality(),
        keepsScale(),
        digitParity(),
        denoising(),
        linearScaling(),
    ],
});
