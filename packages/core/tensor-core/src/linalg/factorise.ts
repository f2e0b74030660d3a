import { eigvalsh as symmetricEigenvalues } from "../kernels/index.js";
import { bind, isPlain } from "../primitive.js";
import { eighP, qrP, svdP } from "../primitives/decompositions.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { symmetricOperand } from "./cholesky.js";
import { matrixCount, matrixValues, resultTensor } from "./host-matrices.js";
import { asMatrices } from "./operands.js";

/**
 * Eigenvalues `[..., n]`, ascending, and orthonormal eigenvectors `[..., n, n]` (columns) of symmetric matrices. Only
 * the symmetric part of `a` counts. In each eigenvector the entry of largest magnitude is positive.
 *
 * Gradients at equal eigenvalues: the part that would turn their eigenvectors into each other is undetermined and left
 * out instead of divided by zero. That is right for sums and other symmetric functions of the eigenvalues and for the
 * projector on a whole eigenspace, and not for a matrix function written as `v f(w) v^T`, which needs distinct ones.
 * @throws ValueError where a value is not finite; ShapeError where a matrix is not square.
 */
export function eigh(a: TensorLike): { values: Tensor; vectors: Tensor } {
  const [values, vectors] = bind(eighP, [symmetricOperand("eigh", a)], null);
  return { values, vectors };
}

/** The eigenvalues `[..., n]`, ascending, of symmetric matrices; see `eigh`. */
export function eigvalsh(a: TensorLike): Tensor {
  const symmetric = symmetricOperand("eigh", a);
  return isPlain(symmetric) ? eigenvalues(symmetric) : bind(eighP, [symmetric], null)[0];
}

/** The kernel that leaves out the eigenvectors. */
function eigenvalues(a: Tensor): Tensor {
  const [spec] = eighP.outputs([a], null);
  const matrices = matrixValues("eigh", "a", a);
  const n = a.shape[a.rank - 1];
  const values = new Float64Array(matrixCount(a.shape) * n);
  for (let at = 0; at < values.length; at += n) {
    values.set(symmetricEigenvalues(matrices.subarray(at * n, (at + n) * n), n), at);
  }
  return resultTensor(values, spec);
}

/**
 * The reduced singular value decomposition `a = u diag(s) vt` of `[..., m, n]` with k = min(m, n): `u` `[..., m, k]`,
 * `s` `[..., k]` descending, `vt` `[..., k, n]`. In each column of u the entry of largest magnitude is positive.
 * Gradients at equal or zero singular values: as for `eigh`.
 * @throws ValueError where a value is not finite.
 */
export function svd(a: TensorLike): { u: Tensor; s: Tensor; vt: Tensor } {
  const [u, s, vt] = bind(svdP, [asMatrices("svd", "a", a)], null);
  return { u, s, vt };
}

/** The singular values `[..., min(m, n)]` of `[..., m, n]`, descending. */
export function svdvals(a: TensorLike): Tensor {
  return svd(a).s;
}

/**
 * The reduced QR decomposition `a = q r` of `[..., m, n]` with k = min(m, n): `q` `[..., m, k]` with orthonormal
 * columns, `r` `[..., k, n]` upper triangular with a non-negative diagonal, which makes both unique.
 * @throws ValueError where a value is not finite, and from the gradient where the first k columns are dependent.
 */
export function qr(a: TensorLike): { q: Tensor; r: Tensor } {
  const [q, r] = bind(qrP, [asMatrices("qr", "a", a)], null);
  return { q, r };
}
