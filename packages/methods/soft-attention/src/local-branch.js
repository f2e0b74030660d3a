import { asTensor, conv, reshape, ShapeError, transpose } from "@offprint/tensor-core";
import { requireGrid } from "./grid.js";
/**
 * The local branch: a depthwise convolution of the values over the grid, one kernel a head, shared by its features.
 * @param values `[batch, heads, n, features]`
 * @param weight `[heads, 1, k, k]`, k odd; `[heads, 1, 1, k]` for sequences
 * @returns `[batch, heads, n, features]`
 * @throws ShapeError where grid or kernel do not fit.
 */
export function localBranch(values, weight, grid) {
    const [v, w] = [asTensor(values), asTensor(weight)];
    if (v.rank !== 4) {
        throw new ShapeError(`localBranch: values have shape [${v.shape}]; they must be [batch, heads, n, features]`);
    }
    const [batch, heads, n, features] = v.shape;
    requireGrid("localBranch", grid, n);
    if (w.rank !== 4 || w.shape[0] !== heads || w.shape[2] % 2 === 0 || w.shape[3] % 2 === 0) {
        throw new ShapeError(`localBranch: the kernel has shape [${w.shape}]; it must be [${heads}, 1, k, k] with odd k`);
    }
    const images = reshape(transpose(v, [0, 3, 1, 2]), [batch * features, heads, ...grid]);
    const padding = [(w.shape[2] - 1) / 2, (w.shape[3] - 1) / 2].map((p) => [p, p]);
    const y = conv(images, w, { groups: heads, padding });
    return transpose(reshape(y, [batch, features, heads, n]), [0, 2, 3, 1]);
}
