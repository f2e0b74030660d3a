import type { Compressed } from "./compressed.js";
import { checkSameShape } from "./construct.js";
import { CooMatrix } from "./coo-matrix.js";
import type { CscMatrix } from "./csc-matrix.js";
import type { CsrMatrix } from "./csr-matrix.js";
import { readVector, type VectorLike } from "./dense-operand.js";
import { requireSparse } from "./operands.js";
import { compressedForm, fromLists, majorLists, type SparseMatrix, toCsr } from "./sparse-matrix.js";

/**
 * `alpha a + beta b` (both default 1). CSC if both are, CSR otherwise. The pattern is the union of the patterns.
 * @throws ShapeError for different shapes.
 */
export function add(a: SparseMatrix, b: SparseMatrix, alpha = 1, beta = 1): CsrMatrix | CscMatrix {
  requireSparse("add", a, b);
  checkSameShape(a, b, "add");
  if (a.format === "csc" && b.format === "csc")
    return fromLists(mergeLists(majorLists(a), majorLists(b), alpha, beta), "csc");
  return fromLists(mergeLists(majorLists(toCsr(a)), majorLists(toCsr(b)), alpha, beta), "csr");
}

function mergeLists(a: Compressed, b: Compressed, alpha: number, beta: number): Compressed {
  const indptr = new Int32Array(a.major + 1);
  const indices = new Int32Array(a.indices.length + b.indices.length);
  const values = new Float64Array(indices.length);
  let used = 0;
  for (let i = 0; i < a.major; i++) {
    let p = a.indptr[i];
    let q = b.indptr[i];
    const [endP, endQ] = [a.indptr[i + 1], b.indptr[i + 1]];
    while (p < endP || q < endQ) {
      const columnA = p < endP ? a.indices[p] : a.minor;
      const columnB = q < endQ ? b.indices[q] : a.minor;
      indices[used] = Math.min(columnA, columnB);
      let sum = 0;
      if (columnA <= columnB) sum += alpha * a.values[p++];
      if (columnB <= columnA) sum += beta * b.values[q++];
      values[used++] = sum;
    }
    indptr[i + 1] = used;
  }
  return { major: a.major, minor: a.minor, indptr, indices: indices.slice(0, used), values: values.slice(0, used) };
}

/** `factor a`, same format and pattern. */
export function scale<M extends SparseMatrix>(a: M, factor: number): M {
  requireSparse("scale", a);
  const values = a.values.map((v) => v * factor);
  if (a.format === "coo") return new CooMatrix(a.rows, a.columns, a.rowIndices, a.columnIndices, values) as M;
  return a.withValues(values) as M;
}

/** `diag(factors) a`: row `i` times `factors[i]`; `factors` is `[rows]`. */
export function scaleRows(a: SparseMatrix, factors: VectorLike): CsrMatrix | CscMatrix {
  requireSparse("scaleRows", a);
  const compressed = compressedForm(a);
  return scaleLists(compressed, readVector(factors, a.rows, "scaleRows: factors"), compressed.format === "csr");
}

/** `a diag(factors)`: column `j` times `factors[j]`; `factors` is `[columns]`. */
export function scaleColumns(a: SparseMatrix, factors: VectorLike): CsrMatrix | CscMatrix {
  requireSparse("scaleColumns", a);
  const compressed = compressedForm(a);
  return scaleLists(compressed, readVector(factors, a.columns, "scaleColumns: factors"), compressed.format === "csc");
}

function scaleLists(a: CsrMatrix | CscMatrix, factors: Float64Array, alongMajor: boolean): CsrMatrix | CscMatrix {
  const values = a.values.slice();
  const { major, indptr, indices } = majorLists(a);
  for (let i = 0; i < major; i++) {
    for (let p = indptr[i]; p < indptr[i + 1]; p++) values[p] *= factors[alongMajor ? i : indices[p]];
  }
  return a.withValues(values);
}

/** Stored entries with size above `tolerance` (default 0: drops stored zeros only). */
export function prune(a: SparseMatrix, tolerance = 0): CsrMatrix | CscMatrix {
  requireSparse("prune", a);
  const compressed = compressedForm(a);
  const { major, minor, indptr, indices, values } = majorLists(compressed);
  const start = new Int32Array(major + 1);
  const kept: number[] = [];
  for (let i = 0; i < major; i++) {
    for (let p = indptr[i]; p < indptr[i + 1]; p++) if (Math.abs(values[p]) > tolerance) kept.push(p);
    start[i + 1] = kept.length;
  }
  const lists = {
    major,
    minor,
    indptr: start,
    indices: Int32Array.from(kept, (p) => indices[p]),
    values: Float64Array.from(kept, (p) => values[p]),
  };
  return fromLists(lists, compressed.format);
}
