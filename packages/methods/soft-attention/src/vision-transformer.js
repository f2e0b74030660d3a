import { initializers, layerNorm, linear, } from "@offprint/nn";
import { add, asTensor, broadcastTo, concatenate, reshape, ShapeError, slice, transpose, } from "@offprint/tensor-core";
import { convStage } from "./conv-stage.js";
import { softBlock } from "./layers.js";
import { resampledPositions } from "./position-table.js";
import { preNormBlock } from "./pre-norm-block.js";
import { drawMasks } from "./vision-masks.js";
import { resolvedSize } from "./vision-sizes.js";
/**
 * The image model of the paper: four stages of tokens at 1/4, 1/8, 1/16 and 1/32 of the resolution, SOFT blocks in the
 * first three, softmax blocks with a class token in the last.
 * @throws ValueError for sizes out of range; when applied, for images whose grids the ratios do not divide.
 * @see Lu et al., IJCV 2024, figure 3 and table 1
 */
export function softVisionTransformer(options) {
    const { classes, plusPlus = false, channels = 3, pinv, padBottleneck } = options;
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
    const positioned = (params, stage, x, grid) => {
        return add(x, resampledPositions(params.positions[stage], [positions[stage], positions[stage]], grid));
    };
    const classified = (params, x, grid, masks) => {
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
    const run = (params, images, embed, masks) => {
        let x = asTensor(images);
        if (x.rank !== 4 || x.shape[1] !== channels) {
            throw new ShapeError(`softVisionTransformer: images [${x.shape}]; give [batch, ${channels}, height, width]`);
        }
        for (let stage = 0; stage < 4; stage++) {
            const image = embed(stage, x);
            const [batch, dim, ...grid] = image.shape;
            const tokens = transpose(reshape(image, [batch, dim, grid[0] * grid[1]]), [0, 2, 1]);
            if (stage === 3)
                return classified(params, tokens, grid, masks);
            const y = params.blocks[stage].reduce((h, p, i) => blocks[stage].apply(p, h, grid, undefined, masks?.blocks[stage][i]), positioned(params, stage, tokens, grid));
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
        apply: (params, state, images) => run(params, images, (stage, x) => embeddings[stage].apply(params.embeddings[stage], state[stage], x)),
        train(params, state, images, masks) {
            const next = [];
            const embed = (stage, x) => {
                const [y, after] = embeddings[stage].train(params.embeddings[stage], state[stage], x);
                next.push(after);
                return y;
            };
            return [run(params, images, embed, masks), next];
        },
        masks: (rng, imageShape, rate) => drawMasks(rng, imageShape, rate, size),
    };
}
