/** What the papers on SOFT and SOFT++ say, as programs. */
export declare const claims: import("@offprint/claims").ClaimSet;
