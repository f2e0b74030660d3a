import { matmul, reshape, tensor } from "@offprint/tensor-core";
/** Row i interpolates position i of `to` from `from`, half-pixel centres, edges repeated: `[to, from]`. */
function interpolation(from, to, dtype) {
    const weights = new Float64Array(to * from);
    for (let i = 0; i < to; i++) {
        const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
        const low = Math.min(Math.floor(at), from - 1);
        const high = Math.min(low + 1, from - 1);
        weights[i * from + low] += 1 - (at - low);
        weights[i * from + high] += at - low;
    }
    return tensor(weights, { dtype, shape: [to, from] });
}
/**
 * A learned table of positions resampled bilinearly to another grid: half-pixel centres, corners not aligned.
 * @param table `[height width, dim]` of the grid `from`
 * @returns `[height' width', dim]` of the grid `to`; the table itself where the grids are equal
 */
export function resampledPositions(table, from, to) {
    if (from[0] === to[0] && from[1] === to[1])
        return table;
    const dim = table.shape[1];
    const rows = matmul(interpolation(from[0], to[0], table.dtype), reshape(table, [from[0], from[1] * dim]));
    const cells = matmul(interpolation(from[1], to[1], table.dtype), reshape(rows, [to[0], from[1], dim]));
    return reshape(cells, [to[0] * to[1], dim]);
}
