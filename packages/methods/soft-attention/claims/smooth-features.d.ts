import { type Rng, type Tensor } from "@offprint/tensor-core";
/** A sum of `waves` cosines `cos(2 pi f.p + phase)` over the cell centres p of the unit square, row by row. */
export declare function cosineField(rng: Rng, side: number, waves: number, frequency: number): Float64Array;
/**
 * Features of a smooth image: each of 8 channels a sum of 4 cosines with frequencies N(0, 3^2), plus noise 0.15 N(0, 1).
 * @returns `[side^2, 8]` float32
 */
export declare function smoothFeatures(rng: Rng, side: number): Tensor;
