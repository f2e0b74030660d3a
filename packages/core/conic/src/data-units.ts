import { DenseProduct } from "./dense-product.js";
import type { CheckedProblem } from "./problem.js";
import { maxNorm } from "./vector-arithmetic.js";

/** Data below this are told in units of their own, as absolute tolerances would not see them. */
const SMALL = 0.01;

/** @internal What 1 stands for in a problem, in powers of two: solving in other units rounds nothing. */
export interface DataUnits {
  /** Of A. */
  readonly matrix: number;
  /** Of b, s and the primal residual. */
  readonly primal: number;
  /** Of c and the dual residual. */
  readonly dual: number;
}

/**
 * @internal Units in which the largest entries of A, b and c are about 1 where they are small. Where P decides how large x
 * and y are rather than b and c, they are measured by P.
 */
export function dataUnits({ A, P, b, c }: CheckedProblem): DataUnits {
  const curvature = P === undefined ? 0 : maxNorm(P.values);
  const matrix = unitOf(A === undefined ? 0 : maxNorm(A.values));
  const offset = curvature === 0 ? 0 : (matrix * maxNorm(c)) / curvature;
  const primal = unitOf(Math.max(maxNorm(b), offset));
  const dual = unitOf(Math.max(maxNorm(c), (curvature * primal) / matrix));
  return { matrix, primal, dual };
}

/** The power of two at a small size; 1 for others and for 0. */
function unitOf(size: number): number {
  return size > 0 && size < SMALL ? 2 ** Math.max(-1000, Math.ceil(Math.log2(size))) : 1;
}

/** @internal The problem with its data in these units. */
export function inUnits(problem: CheckedProblem, { matrix, primal, dual }: DataUnits): CheckedProblem {
  if (matrix === 1 && primal === 1 && dual === 1) return problem;
  const A = problem.A?.withValues(problem.A.values.map((value) => value / matrix));
  const P = problem.P?.withValues(problem.P.values.map((value) => (value / dual) * (primal / matrix)));
  return {
    ...problem,
    ...{ A, P, dense: A && DenseProduct.of(A), denseP: P && DenseProduct.of(P) },
    b: problem.b.map((value) => value / primal),
    c: problem.c.map((value) => value / dual),
  };
}
