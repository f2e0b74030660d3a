import { dropoutMask } from "@offprint/nn";
import { ShapeError } from "@offprint/tensor-core";
/** Masks at rates that grow linearly from 0 in the first block to `rate` in the last. */
export function drawMasks(rng, images, rate, size) {
    if (images.length !== 4)
        throw new ShapeError(`masks: images [${images}]; give [batch, channels, height, width]`);
    const [batch, , height, width] = images;
    const { dims, depths } = size;
    const last = Math.max(1, depths.reduce((a, b) => a + b, 0) - 1);
    let block = 0;
    const nextRate = () => (rate * block++) / last;
    const half = (extent) => Math.ceil(extent / 2);
    let grid = [half(half(height)), half(half(width))];
    const blocks = [0, 1, 2].map((stage) => {
        if (stage > 0)
            grid = grid.map(half);
        const shape = [batch, grid[0] * grid[1], dims[stage]];
        return Array.from({ length: depths[stage] }, () => {
            const each = nextRate();
            return { attention: dropoutMask(rng, shape, each), feedForward: dropoutMask(rng, shape, each) };
        });
    });
    const classBlocks = Array.from({ length: depths[3] }, () => {
        const each = nextRate();
        return [dropoutMask(rng, [batch, 1, 1], each), dropoutMask(rng, [batch, 1, 1], each)];
    });
    return { blocks, classBlocks };
}
