import { dropoutMask } from "@offprint/nn";
import { type Rng, ShapeError, type Tensor } from "@offprint/tensor-core";
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
export function drawMasks(rng: Rng, images: readonly number[], rate: number, size: VisionSize): VisionMasks {
  if (images.length !== 4) throw new ShapeError(`masks: images [${images}]; give [batch, channels, height, width]`);
  const [batch, , height, width] = images;
  const { dims, depths } = size;
  const last = Math.max(1, depths.reduce((a, b) => a + b, 0) - 1);
  let block = 0;
  const nextRate = () => (rate * block++) / last;
  const half = (extent: number) => Math.ceil(extent / 2);
  let grid = [half(half(height)), half(half(width))];
  const blocks = [0, 1, 2].map((stage) => {
    if (stage > 0) grid = grid.map(half);
    const shape = [batch, grid[0] * grid[1], dims[stage]];
    return Array.from({ length: depths[stage] }, () => {
      const each = nextRate();
      return { attention: dropoutMask(rng, shape, each), feedForward: dropoutMask(rng, shape, each) };
    });
  });
  const classBlocks = Array.from({ length: depths[3] }, () => {
    const each = nextRate();
    return [dropoutMask(rng, [batch, 1, 1], each), dropoutMask(rng, [batch, 1, 1], each)] as const;
  });
  return { blocks, classBlocks };
}
