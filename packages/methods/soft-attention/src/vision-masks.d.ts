import { type Rng, type Tensor } from "@offprint/tensor-core";
import type { BlockMasks } from "./transformer-block.js";
import type { VisionSize } from "./vision-sizes.js";
/** What a training step leaves out: dropout in the blocks of stages 1 to 3, whole branches of a sample in stage 4. */
export interface VisionMasks {
    /** Per stage and block. */
    readonly blocks: readonly (readonly BlockMasks[])[];
    /** Per block, `[batch, 1, 1]` for the attention and for the linear layers. */
    readonly classBlocks: readonly (readonly [Tensor, Tensor])[];
}
/** Masks at rates that grow linearly from 0 in the first block to `rate` in the last. */
export declare function drawMasks(rng: Rng, images: readonly number[], rate: number, size: VisionSize): VisionMasks;
