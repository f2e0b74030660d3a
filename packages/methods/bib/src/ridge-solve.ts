import { add, ConvergenceError, eye, linalg, matrixTrace, mul, type Tensor, ValueError } from "@offprint/tensor-core";

/** Most that a penalty grows to where a factorisation fails. */
const largestRidge = 1e-2;

/** A solution with the penalty that it took. */
export interface RidgeSolution {
  /** `(system + beta I)^-1 right`. */
  readonly solution: Tensor;
  /** The penalty in use over its scale. */
  readonly ridge: number;
}

/**
 * Solves a symmetric system with a relative penalty; where it can't be factorised the penalty grows by tens to 1e-2.
 * @throws ConvergenceError where no penalty helps.
 */
export function solveRidge(
  owner: string,
  system: Tensor,
  right: Tensor,
  { ridge, scale = matrixTrace(system).item() / system.shape[0] }: { ridge: number; scale?: number },
): RidgeSolution {
  const size = system.shape[0];
  for (let beta = ridge; ; beta = beta === 0 ? 1e-8 : 10 * beta) {
    try {
      const factor = linalg.cholesky(add(system, mul(eye(size, size, "float64"), beta * scale)));
      return { solution: linalg.choleskySolve(factor, right), ridge: beta };
    } catch (error) {
      if (error instanceof ValueError && beta < largestRidge) continue;
      throw new ConvergenceError(
        `${owner}: the kernel can't be factorised with a ridge of ${beta}; give features of another scale`,
        { cause: error },
      );
    }
  }
}
