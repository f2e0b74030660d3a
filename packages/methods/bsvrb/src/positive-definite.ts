import {
  add,
  isFinite as finite,
  linalg,
  matmul,
  maximum,
  mul,
  swapAxes,
  type Tensor,
  where,
} from "@offprint/tensor-core";

/**
 * Pi_lambda: the nearest symmetric matrices `[..., d, d]`, in the Frobenius norm, whose eigenvalues are at least `least`. A
 * number that is not finite makes its matrix NaN; the decomposition itself would refuse it.
 */
export function nearestPositiveDefinite(matrices: Tensor, least: Tensor | number): Tensor {
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
