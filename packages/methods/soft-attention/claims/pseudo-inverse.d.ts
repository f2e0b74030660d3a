import type { Claim } from "@offprint/claims";
import { type Tensor } from "@offprint/tensor-core";
import { type PinvOptions } from "../src/index.js";
/** The pseudo-inverse under test. */
export type Pinv = (matrix: Tensor, options: PinvOptions) => Tensor;
/** Proposition 3: V_k is a function of the spectrum alone, and tends to the inverse. */
export declare function spectralFilter(pinv?: Pinv): Claim;
/** Equal tokens: the start as the paper writes it loses the matrix, that of the code does not. */
export declare function equalTokens(pinv?: Pinv): Claim;
