import { concatenate, reshape, slice, type Tensor, take, tensor, transpose, vmap } from "@offprint/tensor-core";
import type { Kernel } from "./kernel.js";

/** Points below which blocks save nothing. */
const SMALL = 64;
/** Most blocks along a side: more save little, and their rows become short. */
const MOST = 12;

/** @internal The covariances of points with themselves, `[n, n]`, by blocks; stationary kernels, which are cheaper than that, whole. */
export function ownCovariance(kernel: Kernel, x: Tensor): Tensor {
  return kernel.spectrum === undefined ? symmetricMatrix(kernel.matrix, x) : kernel.matrix(x, x);
}

/**
 * @internal A symmetric function of the rows of x with themselves, `[n, n]`: of the blocks of this matrix those on and below the diagonal are
 * computed, all at once, and the others are their transposes. Traceable, and differentiable.
 */
export function symmetricMatrix(matrix: (x: Tensor, x2: Tensor) => Tensor, x: Tensor): Tensor {
  const [n, d] = x.shape;
  if (n < SMALL) return matrix(x, x);
  const { blocks, size } = partition(n);
  const missing = blocks * size - n;
  // Points that are missing in the last block are those before them: what they give is cut off.
  const whole = missing === 0 ? x : concatenate([x, slice(x, [{ start: 0, stop: missing }])], 0);
  const pieces = reshape(whole, [blocks, size, d]);
  const pairs = Array.from({ length: blocks }, (_, i) => Array.from({ length: i + 1 }, (_, j) => [i, j])).flat();
  const index = (numbers: readonly number[]) => tensor([...numbers], { dtype: "int32" });
  const lower = vmap((a: Tensor, b: Tensor) => matrix(a, b))(
    take(pieces, index(pairs.map(([i]) => i)), 0),
    take(pieces, index(pairs.map(([, j]) => j)), 0),
  );
  const both = concatenate([lower, transpose(lower, [0, 2, 1])], 0);
  const place = (i: number, j: number) => (i * (i + 1)) / 2 + j;
  const order = Array.from({ length: blocks * blocks }, (_, k) => {
    const [i, j] = [Math.floor(k / blocks), k % blocks];
    return i >= j ? place(i, j) : pairs.length + place(j, i);
  });
  const rows = transpose(reshape(take(both, index(order), 0), [blocks, blocks, size, size]), [0, 2, 1, 3]);
  const all = reshape(rows, [blocks * size, blocks * size]);
  return missing === 0
    ? all
    : slice(all, [
        { start: 0, stop: n },
        { start: 0, stop: n },
      ]);
}

/** The number and the even size of blocks of which least is computed. */
function partition(n: number): { blocks: number; size: number } {
  const options = Array.from({ length: MOST - 1 }, (_, k) => {
    const blocks = k + 2;
    const size = 2 * Math.ceil(n / (2 * blocks));
    return { blocks, size, work: ((blocks * (blocks + 1)) / 2) * size * size };
  });
  return options.reduce((best, option) => (option.work < best.work ? option : best));
}
