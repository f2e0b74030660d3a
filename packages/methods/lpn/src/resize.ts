import { matmul, type Tensor, tensor, transpose } from "@offprint/tensor-core";

/** `[to, from]`: a row samples at the middle of an output pixel, half-pixel centres, between the two nearest inputs. */
function interpolation(from: number, to: number): Float64Array[] {
  return Array.from({ length: to }, (_, i) => {
    const row = new Float64Array(from);
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    row[low] += 1 - (at - low);
    row[Math.min(low + 1, from - 1)] += at - low;
    return row;
  });
}

/** @internal Images `[..., height, width]` at another size by bilinear interpolation, as PyTorch does without corners aligned. */
export function resize(images: Tensor, [height, width]: readonly [number, number]): Tensor {
  const [from, to] = [images.shape.slice(-2), [height, width]];
  const matrix = (axis: 0 | 1) => tensor(interpolation(from[axis], to[axis]), { dtype: images.dtype });
  const rows = from[0] === height ? images : matmul(matrix(0), images);
  return from[1] === width ? rows : matmul(rows, transpose(matrix(1)));
}
