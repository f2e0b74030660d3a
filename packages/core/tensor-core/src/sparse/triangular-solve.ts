import { checkOptions } from "../check-options.js";
import { ShapeError, ValueError } from "../errors.js";
import { readVector, resultArray, type VectorLike } from "./dense-operand.js";
import { requireSparse } from "./operands.js";
import { compressedForm, majorLists, type SparseMatrix } from "./sparse-matrix.js";

/** Which triangle {@link triangularSolve} reads and how. */
export interface TriangularSolveOptions {
  /** Read the lower triangle (default true) or the upper one; entries outside it are ignored. */
  readonly lower?: boolean;
  /** Solve with the transpose of that triangle (default false). */
  readonly transposed?: boolean;
  /** Take the diagonal as ones, whatever is stored (default false). */
  readonly unitDiagonal?: boolean;
  /** Where the solution goes, `[n]`; may be `b` itself. */
  readonly out?: Float64Array;
}

/**
 * Solution `x` of `T x = b` (or `transpose(T) x = b`) for a triangle `T` of the square matrix `a`, `b` of length `[n]`.
 *
 * @throws ShapeError if `a` is not square; ValueError if a diagonal entry is zero or absent.
 */
export function triangularSolve(a: SparseMatrix, b: VectorLike, options: TriangularSolveOptions = {}): Float64Array {
  requireSparse("triangularSolve", a);
  checkOptions("triangularSolve", options, ["lower", "transposed", "unitDiagonal", "out"]);
  const { lower = true, transposed = false, unitDiagonal = false } = options;
  if (a.rows !== a.columns) throw new ShapeError(`triangularSolve: a must be square, got [${a.shape}]`);
  const rhs = readVector(b, a.rows, "triangularSolve: b");
  const x = resultArray(options.out, a.rows, "triangularSolve");
  if (x !== rhs) x.set(rhs);
  const compressed = compressedForm(a);
  // The lists of CSC are the rows of the transpose, whose lower triangle is the upper one of a.
  const byRows = compressed.format === "csr";
  const { indptr, indices, values } = majorLists(compressed);
  solveLists(indptr, indices, values, x, byRows === lower, byRows === transposed, unitDiagonal);
  return x;
}

/** Solves with the lists as rows: their lower or upper triangle, gathered as it is or scattered as the transpose. */
function solveLists(
  indptr: Int32Array,
  indices: Int32Array,
  values: Float64Array,
  x: Float64Array,
  lower: boolean,
  scatter: boolean,
  unit: boolean,
): void {
  const n = x.length;
  const ascending = lower !== scatter;
  for (let step = 0; step < n; step++) {
    const i = ascending ? step : n - 1 - step;
    let diagonal = unit ? 1 : 0;
    let sum = x[i];
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const j = indices[p];
      if (j === i) diagonal = unit ? 1 : values[p];
      else if (!scatter && j < i === lower) sum -= values[p] * x[j];
    }
    if (diagonal === 0) {
      throw new ValueError(`triangularSolve: the diagonal entry of row ${i} is zero, the matrix is singular`);
    }
    x[i] = sum / diagonal;
    if (!scatter) continue;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const j = indices[p];
      if (j !== i && j < i === lower) x[j] -= values[p] * x[i];
    }
  }
}
