import { type Compressed, compressTriplets, exchangeMajor } from "./compressed.js";
import { CooMatrix } from "./coo-matrix.js";
import { CscMatrix, cscFrom } from "./csc-matrix.js";
import { CsrMatrix, csrFrom } from "./csr-matrix.js";
import { requireSparse } from "./operands.js";

/** A sparse float64 matrix in any of the three formats. */
export type SparseMatrix = CsrMatrix | CscMatrix | CooMatrix;

/** Whether `x` is one of the sparse matrix classes. */
export function isSparseMatrix(x: unknown): x is SparseMatrix {
  return x instanceof CsrMatrix || x instanceof CscMatrix || x instanceof CooMatrix;
}

/** The matrix in compressed rows; the same object if it is so already. Linear time. */
export function toCsr(a: SparseMatrix): CsrMatrix {
  requireSparse("toCsr", a);
  if (a.format === "csr") return a;
  if (a.format === "csc") return csrFrom(exchangeMajor(majorLists(a)));
  return csrFrom(compressTriplets(a.rows, a.columns, a.rowIndices, a.columnIndices, a.values));
}

/** The matrix in compressed columns; the same object if it is so already. Linear time. */
export function toCsc(a: SparseMatrix): CscMatrix {
  requireSparse("toCsc", a);
  if (a.format === "csc") return a;
  if (a.format === "csr") return cscFrom(exchangeMajor(majorLists(a)));
  return cscFrom(compressTriplets(a.columns, a.rows, a.columnIndices, a.rowIndices, a.values));
}

/** The matrix as coordinates; the same object if it is so already. Linear time. */
export function toCoo(a: SparseMatrix): CooMatrix {
  requireSparse("toCoo", a);
  if (a.format === "coo") return a;
  const lists = majorLists(a);
  const major = new Int32Array(a.entries);
  for (let i = 0; i < lists.major; i++) major.fill(i, lists.indptr[i], lists.indptr[i + 1]);
  const [rowIndices, columnIndices] = a.format === "csr" ? [major, a.indices] : [a.indices, major];
  return new CooMatrix(a.rows, a.columns, rowIndices, columnIndices, a.values);
}

/** The values in row-major order, `[rows * columns]`; `tensor(toDense(a), { shape: a.shape })` makes a tensor. */
export function toDense(a: SparseMatrix): Float64Array {
  requireSparse("toDense", a);
  const { rowIndices, columnIndices, values, rows, columns } = toCoo(a);
  const dense = new Float64Array(rows * columns);
  for (let k = 0; k < values.length; k++) dense[rowIndices[k] * columns + columnIndices[k]] += values[k];
  return dense;
}

/** The transpose: CSR becomes CSC and the reverse, sharing all arrays; convert with `toCsr` if the format matters. */
export function transpose(a: SparseMatrix): SparseMatrix {
  requireSparse("transpose", a);
  if (a.format === "csr") return new CscMatrix(a.columns, a.rows, a.indptr, a.indices, a.values, false);
  if (a.format === "csc") return new CsrMatrix(a.columns, a.rows, a.indptr, a.indices, a.values, false);
  return new CooMatrix(a.columns, a.rows, a.columnIndices, a.rowIndices, a.values);
}

/** @internal The lists of a CSR or CSC matrix as they are stored. */
export function majorLists(a: CsrMatrix | CscMatrix): Compressed {
  const [major, minor] = a.format === "csr" ? [a.rows, a.columns] : [a.columns, a.rows];
  return { major, minor, indptr: a.indptr, indices: a.indices, values: a.values };
}

/** @internal A COO matrix as CSR, anything else as it is. */
export function compressedForm(a: SparseMatrix): CsrMatrix | CscMatrix {
  return a.format === "coo" ? toCsr(a) : a;
}

/** @internal Lists over rows as CSR, or over columns as CSC. */
export function fromLists(c: Compressed, format: "csr" | "csc"): CsrMatrix | CscMatrix {
  return format === "csr" ? csrFrom(c) : cscFrom(c);
}
