import { type Tensor } from "@offprint/tensor-core";
/** Throws where a tensor in memory holds a value that is not finite; a traced or batched one cannot be looked into. */
export declare function requireFinite(owner: string, argument: string, x: Tensor): void;
