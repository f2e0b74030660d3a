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

/** Orders up to which halving a triangle, and a product with one, saves nothing. */
const [SMALL, SMALL_PRODUCT] = [64, 128];

/**
 * @internal K^-1 from its Cholesky factor. Halves know which of their blocks are zero, and which are the transposes of
 * others: a third of the work of solving with the identity.
 */
export function choleskyInverse(factor: Tensor): Tensor {
  return gram(triangularInverse(factor));
}

const firstHalf = (n: number) => ({ start: 0, stop: n >> 1 });
const secondHalf = (n: number) => ({ start: n >> 1, stop: n });

/** [[A, 0], [B, C]] */
function halves(L: Tensor): { A: Tensor; B: Tensor; C: Tensor } {
  const n = L.shape[0];
  const [first, second] = [firstHalf(n), secondHalf(n)];
  return { A: slice(L, [first, first]), B: slice(L, [second, first]), C: slice(L, [second, second]) };
}

/** [X, Y] */
function columnHalves(x: Tensor): [Tensor, Tensor] {
  const n = x.shape[1];
  return [slice(x, [null, firstHalf(n)]), slice(x, [null, secondHalf(n)])];
}

function triangularInverse(L: Tensor): Tensor {
  const n = L.shape[0];
  if (n <= SMALL) return linalg.triangularSolve(L, eye(n, n, "float64"));
  const { A, B, C } = halves(L);
  const [left, right] = [triangularInverse(A), triangularInverse(C)];
  const corner = neg(linalg.triangularSolve(C, timesTriangle(B, left)));
  const top = concatenate([left, zeros([A.shape[0], C.shape[0]], "float64")], 1);
  return concatenate([top, concatenate([corner, right], 1)], 0);
}

/** X L for a lower triangular L. */
function timesTriangle(x: Tensor, L: Tensor): Tensor {
  if (L.shape[0] <= SMALL_PRODUCT) return matmul(x, L);
  const { A, B, C } = halves(L);
  const [first, second] = columnHalves(x);
  return concatenate([add(timesTriangle(first, A), matmul(second, B)), timesTriangle(second, C)], 1);
}

/** L^T X for a lower triangular L. */
function transposedTimes(L: Tensor, x: Tensor): Tensor {
  const n = L.shape[0];
  if (n <= SMALL_PRODUCT) return matmul(transpose(L), x);
  const { A, B, C } = halves(L);
  const [first, second] = [slice(x, [firstHalf(n)]), slice(x, [secondHalf(n)])];
  return concatenate([add(transposedTimes(A, first), matmul(transpose(B), second)), transposedTimes(C, second)], 0);
}

/** [[P, Q^T], [Q, R]] */
function symmetric(P: Tensor, Q: Tensor, R: Tensor): Tensor {
  return concatenate([concatenate([P, transpose(Q)], 1), concatenate([Q, R], 1)], 0);
}

/** M^T M for a lower triangular M. */
function gram(M: Tensor): Tensor {
  if (M.shape[0] <= SMALL_PRODUCT) return matmul(transpose(M), M);
  const { A, B, C } = halves(M);
  return symmetric(add(gram(A), square(B)), transposedTimes(C, B), gram(C));
}

/** X^T X. */
function square(x: Tensor): Tensor {
  if (x.shape[1] <= SMALL_PRODUCT) return matmul(transpose(x), x);
  const [first, second] = columnHalves(x);
  return symmetric(square(first), matmul(transpose(second), first), square(second));
}
