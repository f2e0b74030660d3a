import {
  type BatchNormState,
  type FloatType,
  initializers,
  type LinearParams,
  layerNorm,
  linear,
  type NormParams,
} from "@offprint/nn";
import {
  add,
  asTensor,
  broadcastTo,
  checkOptions,
  concatenate,
  type Rng,
  requireChoice,
  requireInteger,
  reshape,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  transpose,
} from "@offprint/tensor-core";
import { type ConvNormParams, convStage } from "./conv-stage.js";
import type { Grid } from "./grid.js";
import { type SoftLayerParams, softBlock } from "./layers.js";
import type { PinvOptions } from "./newton-pinv.js";
import { resampledPositions } from "./position-table.js";
import { type PreNormBlockParams, preNormBlock } from "./pre-norm-block.js";
import type { BlockParams } from "./transformer-block.js";
import { drawMasks, type VisionMasks } from "./vision-masks.js";
import { resolvedSize, type VisionSize, type VisionSizeName } from "./vision-sizes.js";

/** Options of `softVisionTransformer`. */
export interface VisionOptions {
  /** One of the paper's sizes, or your own. */
  size: VisionSizeName | VisionSize;
  /** Number of classes. */
  classes: number;
  /** SOFT++ instead of SOFT. Default false. */
  plusPlus?: boolean;
  /** Channels of the images. Default 3. */
  channels?: number;
  /** Of the pseudo-inverses. */
  pinv?: PinvOptions;
  /** Whether windows may reach over the edge, for images whose grids `ratios` do not divide. Default false. */
  padBottleneck?: boolean;
}

/** Parameters of `softVisionTransformer`. */
export interface VisionParams {
  /** Per stage, its convolutions: three in the stem, one between stages. */
  readonly embeddings: readonly (readonly ConvNormParams[])[];
  /** Per stage `[side^2, dim]`; that of stage 4 has the class token's in front. */
  readonly positions: readonly Tensor[];
  /** Blocks of stages 1 to 3. */
  readonly blocks: readonly (readonly BlockParams<SoftLayerParams>[])[];
  /** `[dim]` */
  readonly classToken: Tensor;
  /** Blocks of stage 4. */
  readonly classBlocks: readonly PreNormBlockParams[];
  /** Before the head. */
  readonly norm: NormParams;
  /** `[dim, classes]` */
  readonly head: LinearParams;
}

/** Running statistics of the batch normalisations, per stage and convolution. */
export type VisionState = readonly (readonly BatchNormState[])[];

/** An image model; batch statistics go in and come out. */
export interface VisionTransformer {
  /** Extents, defaults filled in. */
  readonly size: Required<VisionSize>;
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): VisionParams;
  /** Mean zeros, variance ones. */
  initState(dtype?: FloatType): VisionState;
  /** `[batch, channels, height, width]` to logits `[batch, classes]`; pure and traceable. */
  apply(params: VisionParams, state: VisionState, images: TensorLike): Tensor;
  /** The logits with the statistics of this batch, and the new running ones. */
  train(params: VisionParams, state: VisionState, images: TensorLike, masks?: VisionMasks): [Tensor, VisionState];
  /** Draws the masks of one training step. `rate` in [0, 1) is that of the last block; it grows linearly with depth. */
  masks(rng: Rng, imageShape: readonly number[], rate: number): VisionMasks;
}

const names = ["size", "classes", "plusPlus", "channels", "pinv", "padBottleneck"];

/**
 * The image model of the paper: four stages of tokens at 1/4, 1/8, 1/16 and 1/32 of the resolution, SOFT blocks in the
 * first three, softmax blocks with a class token in the last.
 * @throws ValueError for sizes out of range; when applied, for images whose grids the ratios do not divide.
 * @see Lu et al., IJCV 2024, figure 3 and table 1
 */
export function softVisionTransformer(options: VisionOptions): VisionTransformer {
  checkOptions("softVisionTransformer", options, names, ["size", "classes"]);
  const { classes, plusPlus = false, channels = 3, pinv, padBottleneck } = options;
  requireInteger("softVisionTransformer", "classes", classes, 1);
  requireInteger("softVisionTransformer", "channels", channels, 1);
  requireChoice("softVisionTransformer", "plusPlus", plusPlus, [true, false]);
  const size = resolvedSize(options.size);
  const { dims, heads, depths, ratios, localConvs, positions } = size;
  const embeddings = dims.map((dim, stage) => {
    return stage === 0 ? convStage([channels, 32, 32, dim], [2, 1, 2]) : convStage([dims[stage - 1], dim], [2]);
  });
  const blocks = ratios.map((ratio, stage) => {
    return softBlock({
      dim: dims[stage],
      heads: heads[stage],
      ratio,
      localConv: localConvs[stage],
      normalization: plusPlus ? "symmetric" : "none",
      ...(pinv && { pinv }),
      ...(padBottleneck && { padBottleneck }),
    });
  });
  const classBlock = preNormBlock(dims[3], heads[3]);
  const norm = layerNorm({ features: dims[3], epsilon: 1e-6 });
  const weightInit = initializers.truncatedNormal(0.02);
  const head = linear({ inputs: dims[3], outputs: classes, weightInit, biasInit: initializers.zeros });

  const positioned = (params: VisionParams, stage: number, x: Tensor, grid: Grid) => {
    return add(x, resampledPositions(params.positions[stage], [positions[stage], positions[stage]], grid));
  };
  const classified = (params: VisionParams, x: Tensor, grid: Grid, masks?: VisionMasks) => {
    const [batch, , dim] = x.shape;
    const own = slice(params.positions[3], [{ stop: 1 }]);
    const others = {
      ...params,
      positions: [...params.positions.slice(0, 3), slice(params.positions[3], [{ start: 1 }])],
    };
    const token = broadcastTo(reshape(add(params.classToken, own), [1, 1, dim]), [batch, 1, dim]);
    const tokens = concatenate([token, positioned(others, 3, x, grid)], 1);
    const y = params.classBlocks.reduce((h, p, i) => classBlock.apply(p, h, masks?.classBlocks[i]), tokens);
    return head.apply(params.head, norm.apply(params.norm, slice(y, [null, 0])));
  };
  const run = (
    params: VisionParams,
    images: TensorLike,
    embed: (stage: number, x: Tensor) => Tensor,
    masks?: VisionMasks,
  ) => {
    let x = asTensor(images);
    if (x.rank !== 4 || x.shape[1] !== channels) {
      throw new ShapeError(`softVisionTransformer: images [${x.shape}]; give [batch, ${channels}, height, width]`);
    }
    for (let stage = 0; stage < 4; stage++) {
      const image = embed(stage, x);
      const [batch, dim, ...grid] = image.shape as [number, number, number, number];
      const tokens = transpose(reshape(image, [batch, dim, grid[0] * grid[1]]), [0, 2, 1]);
      if (stage === 3) return classified(params, tokens, grid, masks);
      const y = params.blocks[stage].reduce(
        (h, p, i) => blocks[stage].apply(p, h, grid, undefined, masks?.blocks[stage][i]),
        positioned(params, stage, tokens, grid),
      );
      x = reshape(transpose(y, [0, 2, 1]), [batch, dim, ...grid]);
    }
    return x;
  };
  return {
    size,
    init: (rng, dtype = "float32") => ({
      embeddings: embeddings.map((stage) => stage.init(rng, dtype)),
      positions: positions.map((side, i) => {
        return rng.truncatedNormal([side * side + (i === 3 ? 1 : 0), dims[i]], { std: 0.02, dtype });
      }),
      blocks: blocks.map((block, i) => Array.from({ length: depths[i] }, () => block.init(rng, dtype))),
      classToken: rng.truncatedNormal([dims[3]], { std: 0.02, dtype }),
      classBlocks: Array.from({ length: depths[3] }, () => classBlock.init(rng, dtype)),
      norm: norm.init(rng, dtype),
      head: head.init(rng, dtype),
    }),
    initState: (dtype = "float32") => embeddings.map((stage) => stage.initState(dtype)),
    apply: (params, state, images) =>
      run(params, images, (stage, x) => embeddings[stage].apply(params.embeddings[stage], state[stage], x)),
    train(params, state, images, masks) {
      const next: BatchNormState[][] = [];
      const embed = (stage: number, x: Tensor) => {
        const [y, after] = embeddings[stage].train(params.embeddings[stage], state[stage], x);
        next.push(after);
        return y;
      };
      return [run(params, images, embed, masks), next];
    },
    masks: (rng, imageShape, rate) => drawMasks(rng, imageShape, rate, size),
  };
}
