import { sparse } from "@offprint/tensor-core";
import type { ScaledProblem } from "./equilibration.js";

type Products = Pick<ScaledProblem, "A" | "operator" | "dense" | "P" | "denseP">;

/** @internal `out = A x` of a problem, scaled or not. */
export function apply(problem: Products, x: Float64Array, out: Float64Array): void {
  if (problem.operator !== undefined) problem.operator.apply(x, out);
  else if (problem.dense !== undefined) problem.dense.apply(x, out);
  else sparse.multiplyVector(problem.A as sparse.CscMatrix, x, out);
}

/** @internal `out = A^T y` of a problem, scaled or not. */
export function applyTransposed(problem: Products, y: Float64Array, out: Float64Array): void {
  if (problem.operator !== undefined) problem.operator.applyTransposed(y, out);
  else if (problem.dense !== undefined) problem.dense.applyTransposed(y, out);
  else sparse.multiplyTransposedVector(problem.A as sparse.CscMatrix, y, out);
}

/** @internal `out = P x` of a problem, scaled or not. */
export function applyQuadratic({ P, denseP }: Products, x: Float64Array, out: Float64Array): void {
  if (denseP !== undefined) denseP.apply(x, out);
  else if (P !== undefined) sparse.multiplyVector(P, x, out);
  else out.fill(0);
}
