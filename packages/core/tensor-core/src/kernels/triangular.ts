import { type FloatArray, roundLike } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsTriangularSolve } from "./js/triangular.js";
import { wasmTriangularSolve } from "./wasm/decompositions.js";

/** Few right sides leave little to do per element of A that is copied. */
const WASM_FROM_COLUMNS = 4;
const WASM_FROM_ROWS = 8;

/** How `triangularSolve` reads A. */
export interface TriangularOptions {
  /** Reads the lower triangle of A; otherwise the upper one. */
  readonly lower: boolean;
  /** Solves A^T X = B. Default false. */
  readonly transpose?: boolean;
  /** Takes the diagonal as 1. Default false. */
  readonly unitDiagonal?: boolean;
}

/**
 * X[n, columns] with A X = B (or A^T X = B) for the row-major triangular A[n, n] and B[n, columns]; computed in float64.
 * A zero on the diagonal gives infinities or NaN.
 */
export function triangularSolve<A extends FloatArray>(
  a: A,
  n: number,
  b: A,
  columns: number,
  options: TriangularOptions,
): A {
  const matrix = a instanceof Float64Array ? a : new Float64Array(a);
  const x = new Float64Array(b);
  triangularSolveInPlace(matrix, n, x, columns, options);
  return roundLike(b, x);
}

/** Replaces B[n, columns] by the solution. */
export function triangularSolveInPlace(
  matrix: Float64Array,
  n: number,
  x: Float64Array,
  columns: number,
  options: TriangularOptions,
): void {
  const { lower, transpose = false, unitDiagonal = false } = options;
  const runtime = wasmRuntime();
  const wasm = runtime && ((n >= WASM_FROM_ROWS && columns >= WASM_FROM_COLUMNS) || !choosesBySize());
  if (wasm) wasmTriangularSolve(runtime, matrix, n, x, columns, lower, transpose, unitDiagonal);
  else jsTriangularSolve(matrix, n, x, columns, lower, transpose, unitDiagonal);
}
