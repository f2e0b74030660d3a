import type { Claim, ClaimContext } from "@offprint/claims";
/** How much the claim trains. */
export interface DenoisingSize {
    /** Runs, which differ in parameters and images. */
    readonly runs: number;
    /** Updates of a run. */
    readonly steps: number;
    /** Fresh images of an update. */
    readonly batch: number;
    /** Fixed images of the test. */
    readonly test: number;
}
/** A task that only attention solves: tokens of one kind, far apart, must be averaged. */
export declare function denoising(size?: (context: ClaimContext) => DenoisingSize): Claim;
