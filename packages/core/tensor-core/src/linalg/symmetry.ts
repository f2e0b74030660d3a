import { allocate, isFloat } from "../dtype.js";
import { add, mul } from "../ops/elementwise.js";
import { tril } from "../ops/matrix-parts.js";
import { swapAxes } from "../ops/movement.js";
import { isPlain } from "../primitive.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";

/** The last two axes exchanged. */
export function matrixTranspose(x: Tensor): Tensor {
  return swapAxes(x, -1, -2);
}

/** `(x + x^T) / 2`. */
export function symmetricPart(x: Tensor): Tensor {
  // Every decomposition of a symmetric matrix begins with it, and small ones would take longer for it than for the rest.
  return isPlain(x) && isFloat(x.dtype) ? symmetricValues(x) : mul(add(x, matrixTranspose(x)), 0.5);
}

/** The same in one pass, to the last bit. */
function symmetricValues(x: Tensor): Tensor {
  const values = contiguousData(x);
  const out = allocate(x.dtype, x.size);
  const n = x.shape[x.rank - 1];
  for (let start = 0; start < out.length; start += n * n) {
    for (let i = 0; i < n; i++) {
      for (let j = 0, p = start + i * n, q = start + i; j <= i; j++, p++, q += n) {
        // The sum is rounded to the element type before it is halved.
        out[p] = values[p] + values[q];
        out[q] = out[p] *= 0.5;
      }
    }
  }
  return hostTensor(out, x.shape, x.dtype);
}

/** The matrix with its diagonal halved and everything above it 0. */
export function lowerHalf(x: Tensor): Tensor {
  return mul(add(tril(x), tril(x, -1)), 0.5);
}
