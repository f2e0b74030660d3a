import {
  add,
  concatenate,
  eye,
  linalg,
  matmul,
  neg,
  slice,
  type Tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";

/** Orders up to which halving a triangle, and its product with itself, saves nothing. */
const [SMALL, SMALL_PRODUCT] = [64, 128];

/**
 * @internal K^-1 from its Cholesky factor. Halves know which of their blocks are zero: two fifths of the work of solving
 * with the identity.
 */
export function choleskyInverse(factor: Tensor): Tensor {
  return gram(triangularInverse(factor));
}

/** [[A, 0], [B, C]] */
function halves(L: Tensor): { A: Tensor; B: Tensor; C: Tensor } {
  const n = L.shape[0];
  const [first, second] = [
    { start: 0, stop: n >> 1 },
    { start: n >> 1, stop: n },
  ];
  return { A: slice(L, [first, first]), B: slice(L, [second, first]), C: slice(L, [second, second]) };
}

function triangularInverse(L: Tensor): Tensor {
  const n = L.shape[0];
  if (n <= SMALL) return linalg.triangularSolve(L, eye(n, n, "float64"));
  const { A, B, C } = halves(L);
  const [left, right] = [triangularInverse(A), triangularInverse(C)];
  const corner = neg(linalg.triangularSolve(C, matmul(B, left)));
  const top = concatenate([left, zeros([A.shape[0], C.shape[0]], "float64")], 1);
  return concatenate([top, concatenate([corner, right], 1)], 0);
}

/** M^T M for a lower triangular M. */
function gram(M: Tensor): Tensor {
  if (M.shape[0] <= SMALL_PRODUCT) return matmul(transpose(M), M);
  const { A, B, C } = halves(M);
  const corner = matmul(transpose(C), B);
  const top = concatenate([add(gram(A), matmul(transpose(B), B)), transpose(corner)], 1);
  return concatenate([top, concatenate([corner, gram(C)], 1)], 0);
}
