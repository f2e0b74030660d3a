import {
  add,
  isFinite as finite,
  linalg,
  matmul,
  maximum,
  mul,
  swapAxes,
  type Tensor,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { cholesky } from "@offprint/tensor-core/internal";

/**
 * Pi_lambda: the nearest symmetric matrices `[..., d, d]`, in the Frobenius norm, whose eigenvalues are at least `least`. A
 * number that is not finite makes its matrix NaN; the decomposition itself would refuse it.
 */
export function nearestPositiveDefinite(matrices: Tensor, least: Tensor | number): Tensor {
  if (typeof least === "number" && !Number.isFinite(least)) {
    throw new ValueError(`nearestPositiveDefinite: least is ${least}; give a finite number`);
  }
  const { values, vectors } = linalg.eigh(where(finite(matrices), matrices, 0));
  const scaled = mul(
    vectors,
    maximum(values, least).reshape([...values.shape.slice(0, -1), 1, values.shape.at(-1) ?? 1]),
  );
  return add(matmul(scaled, swapAxes(vectors, -1, -2)), mul(matrices, 0));
}

/** The solutions of `matrices x = right`, `[count, d]`; NaN where the right side is not finite. */
export function solveRows(matrices: Tensor, right: Tensor): Tensor {
  const [count, d] = right.shape;
  const solution = linalg.solve(matrices, where(finite(right), right, 0).reshape([count, d, 1]));
  return add(solution.reshape([count, d]), mul(right, 0));
}

/**
 * Pi_lambda of matrices `[count, d, d]`, computed: one that lies inside already, which its Cholesky factor tells, is but made
 * symmetric. The eigenvalues, which cost twenty times as much, are found for the others.
 */
export function projectMatrices(matrices: Tensor, least: number): Float64Array {
  const [count, d] = matrices.shape;
  const size = d * d;
  const [out, shifted] = [new Float64Array(count * size), new Float64Array(size)];
  const given = matrices.data();
  for (let k = 0; k < count; k++) {
    const H = out.subarray(k * size, (k + 1) * size);
    symmetricPart(given, k * size, d, H);
    shifted.set(H);
    for (let i = 0; i < size; i += d + 1) shifted[i] -= least;
    if (cholesky(shifted, d).failedPivot < 0) continue;
    H.set(nearestPositiveDefinite(tensor(H, { shape: [d, d] }), least).data());
  }
  return out;
}

/** Replaces each right side by the solution of `H x = right`: by the Cholesky factor, or by elimination where rounding left none. */
export function solvePositiveDefinite(H: Float64Array, d: number, rights: readonly Float64Array[]): void {
  const { factor, failedPivot } = cholesky(H, d);
  for (const right of rights) {
    if (failedPivot < 0) substitute(factor, d, right);
    else right.set(solveRows(tensor(H, { shape: [1, d, d] }), tensor(right, { shape: [1, d] })).data());
  }
}

/** `x <- L'^-1 L^-1 x` */
function substitute(L: Float64Array, d: number, x: Float64Array): void {
  for (let i = 0; i < d; i++) {
    let value = x[i];
    for (let j = 0; j < i; j++) value -= L[i * d + j] * x[j];
    x[i] = value / L[i * d + i];
  }
  for (let i = d - 1; i >= 0; i--) {
    const value = x[i] / L[i * d + i];
    x[i] = value;
    for (let j = 0; j < i; j++) x[j] -= L[i * d + j] * value;
  }
}

/** `(M + M') / 2` */
function symmetricPart(from: ArrayLike<number>, at: number, d: number, out: Float64Array): void {
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      out[i * d + j] = out[j * d + i] = (from[at + i * d + j] + from[at + j * d + i]) / 2;
    }
  }
}
