import { ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { readMatrix } from "@offprint/tensor-core/internal";

/** A linear map: writes `A x` into `out` and must leave `x` alone. Neither array is kept between calls. */
export type LinearOperator = (x: Float64Array, out: Float64Array) => void;

/** A linear operator, or a square matrix that stands for one. */
export type OperatorLike = LinearOperator | sparse.SparseMatrix | sparse.MatrixLike;

/** The operator of `a`, an `[n, n]` matrix or a function. @throws ShapeError for a matrix of another shape. */
export function asOperator(a: OperatorLike, n: number, name: string): LinearOperator {
  if (typeof a === "function") return a;
  const checkShape = (shape: readonly number[]): void => {
    if (shape[0] !== n || shape[1] !== n) {
      throw new ShapeError(`${name} must be a [${n}, ${n}] matrix or a function, got shape [${shape}]`);
    }
  };
  if (sparse.isSparseMatrix(a)) {
    checkShape(a.shape);
    checkFinite(a.values, name);
    return (x, out) => {
      sparse.multiplyVector(a, x, out);
    };
  }
  const { shape, values } = readMatrix(a, name);
  checkShape(shape);
  checkFinite(values, name);
  return (x, out) => {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0, p = i * n; j < n; j++, p++) sum += values[p] * x[j];
      out[i] = sum;
    }
  };
}

/** @throws ValueError if an entry is not finite. */
export function checkFinite(values: ArrayLike<number>, name: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new ValueError(`${name} must be finite, got ${values[i]} at ${i}: remove or replace it before solving`);
    }
  }
}
