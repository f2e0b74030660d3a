import {
  abs,
  add,
  broadcastTo,
  concatenate,
  div,
  equal,
  expandDims,
  eye,
  less,
  linalg,
  matmul,
  maximum,
  mul,
  slice,
  sqrt,
  squeeze,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
  where,
} from "@offprint/tensor-core";

/** Damping that changes no digit of a step, and lets one be taken where columns of the Jacobian depend on each other. */
export const leastDamping = 1e-24;

/** @internal Lengths of the columns of Jacobians `[..., m, n]`, 1 for those that are zero: `[..., n]`. */
export function columnScales(jacobian: Tensor): Tensor {
  const lengths = linalg.norm(jacobian, { axis: -2 });
  return where(equal(lengths, 0), 1, lengths);
}

/**
 * @internal `argmin |J p + r|^2 + damping |D p|^2` with D the column scales, by a QR decomposition of both blocks, which
 * keeps the digits that normal equations lose.
 * @param jacobian - `[..., m, n]`
 * @param residuals - `[..., m]`
 * @param damping - positive, for each problem: `[...]`
 * @param scales - `[..., n]`
 */
export function dampedStep(jacobian: Tensor, residuals: Tensor, damping: TensorLike, scales: Tensor): Tensor {
  const { q, r } = dampedFactors(jacobian, damping, scales);
  const right = matmul(swapAxes(q, -1, -2), expandDims(residuals, -1));
  return squeeze(linalg.triangularSolve(r, mul(right, -1), { lower: false }), -1);
}

/** @internal How `argmin |J p + r|^2 + damping |D p|^2` is found. */
export type DampedStep = typeof dampedStep;

/**
 * @internal The same by a Cholesky decomposition of J^T J, in columns scaled by D: far less work where there are many more
 * residuals than variables, with half the digits. The damping is at least what rounding can take away.
 */
export function normalStep(jacobian: Tensor, residuals: Tensor, damping: TensorLike, scales: Tensor): Tensor {
  const n = jacobian.shape[jacobian.rank - 1];
  const transposed = swapAxes(jacobian, -1, -2);
  const lengths = mul(expandDims(scales, -1), expandDims(scales, -2));
  const gram = div(matmul(transposed, jacobian), lengths);
  const least = 8 * n ** 2 * (jacobian.dtype === "float32" ? 2 ** -23 : 2 ** -52);
  const lifted = add(gram, mul(eye(n, n, jacobian.dtype), expandDims(expandDims(maximum(damping, least), -1), -1)));
  // What is not finite has no decomposition; its step is refused as its squares are not finite either.
  const finite = less(sum(abs(lifted), { axis: [-1, -2], keepDims: true }), Number.POSITIVE_INFINITY);
  const factor = linalg.cholesky(where(finite, lifted, eye(n, n, jacobian.dtype)));
  const slope = div(matmul(transposed, expandDims(residuals, -1)), expandDims(scales, -1));
  const step = linalg.choleskySolve(factor, where(finite, slope, Number.NaN));
  return mul(-1, squeeze(div(step, expandDims(scales, -1)), -1));
}

/** @internal The inverse of square matrices `[..., n, n]`, with {@link leastDamping}. */
export function dampedInverse(matrix: Tensor): Tensor {
  const { q, r } = dampedFactors(matrix, leastDamping, columnScales(matrix));
  return linalg.triangularSolve(r, swapAxes(q, -1, -2), { lower: false });
}

/** The R factor of `[J; sqrt(damping) D]` and the rows of Q that stand beside J. */
function dampedFactors(jacobian: Tensor, damping: TensorLike, scales: Tensor): { q: Tensor; r: Tensor } {
  const [m, n] = jacobian.shape.slice(-2);
  const lengths = expandDims(mul(scales, typeof damping === "number" ? Math.sqrt(damping) : root(damping)), -1);
  const below = mul(eye(n, n, jacobian.dtype), lengths);
  const whole = broadcastTo(below, [...jacobian.shape.slice(0, -2), n, n]);
  const { q, r } = linalg.qr(concatenate([jacobian, whole], -2));
  return {
    q: slice(
      q,
      q.shape.map((_, i) => (i === q.rank - 2 ? { stop: m } : null)),
    ),
    r,
  };
}

function root(damping: TensorLike): Tensor {
  return expandDims(sqrt(damping), -1);
}
