import { ShapeError } from "../errors.js";
import { type Compressed, exchangeMajor } from "./compressed.js";
import type { CscMatrix } from "./csc-matrix.js";
import type { CsrMatrix } from "./csr-matrix.js";
import { requireList, requireSparse } from "./operands.js";
import { fromLists, majorLists, type SparseMatrix, toCsc, toCsr } from "./sparse-matrix.js";

/**
 * `a b` of two sparse matrices, by rows (Gustavson 1978): the cost is the number of scalar products. CSC if both are,
 * CSR otherwise. Entries that cancel stay stored.
 *
 * @throws ShapeError unless `a` has as many columns as `b` has rows.
 */
export function multiply(a: SparseMatrix, b: SparseMatrix): CsrMatrix | CscMatrix {
  requireSparse("multiply", a, b);
  if (a.columns !== b.rows) {
    throw new ShapeError(`multiply: shapes [${a.shape}] and [${b.shape}] do not fit: inner extents must be equal`);
  }
  // Columns of a b are rows of transpose(b) transpose(a).
  if (a.format === "csc" && b.format === "csc") return fromLists(productByLists(majorLists(b), majorLists(a)), "csc");
  return fromLists(productByLists(majorLists(toCsr(a)), majorLists(toCsr(b))), "csr");
}

/** `transpose(a) diag(weights) a` as CSR (weights default to ones): the matrix of normal equations. */
export function gram(a: SparseMatrix, weights?: Float64Array): CsrMatrix {
  requireSparse("gram", a);
  if (weights !== undefined) requireList("gram", weights, "weights");
  if (weights !== undefined && weights.length !== a.rows) {
    throw new ShapeError(`gram: weights must have length ${a.rows}, got ${weights.length}`);
  }
  const rows = majorLists(toCsr(a));
  const columns = majorLists(toCsc(a));
  const values = weights === undefined ? columns.values : columns.values.map((v, p) => v * weights[columns.indices[p]]);
  return fromLists(productByLists({ ...columns, values }, rows), "csr") as CsrMatrix;
}

function productByLists(a: Compressed, b: Compressed): Compressed {
  const indptr = new Int32Array(a.major + 1);
  const stamp = new Int32Array(b.minor).fill(-1);
  let total = 0;
  for (let i = 0; i < a.major; i++) {
    for (let p = a.indptr[i]; p < a.indptr[i + 1]; p++) {
      const k = a.indices[p];
      for (let q = b.indptr[k]; q < b.indptr[k + 1]; q++) {
        if (stamp[b.indices[q]] === i) continue;
        stamp[b.indices[q]] = i;
        total++;
      }
    }
    indptr[i + 1] = total;
  }
  const indices = new Int32Array(total);
  const values = new Float64Array(total);
  const position = new Int32Array(b.minor).fill(-1);
  let used = 0;
  for (let i = 0; i < a.major; i++) {
    const first = used;
    for (let p = a.indptr[i]; p < a.indptr[i + 1]; p++) {
      const k = a.indices[p];
      const factor = a.values[p];
      for (let q = b.indptr[k]; q < b.indptr[k + 1]; q++) {
        const j = b.indices[q];
        if (position[j] < first) {
          position[j] = used;
          indices[used++] = j;
        }
        values[position[j]] += factor * b.values[q];
      }
    }
  }
  // Exchanging twice sorts every list in linear time.
  return exchangeMajor(exchangeMajor({ major: a.major, minor: b.minor, indptr, indices, values }));
}
