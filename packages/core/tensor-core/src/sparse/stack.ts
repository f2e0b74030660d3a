import { ShapeError, ValueError } from "../errors.js";
import type { Compressed } from "./compressed.js";
import { identity } from "./construct.js";
import type { CscMatrix } from "./csc-matrix.js";
import type { CsrMatrix } from "./csr-matrix.js";
import { requireList, requireSparse } from "./operands.js";
import { fromLists, majorLists, type SparseMatrix, toCsc, toCsr } from "./sparse-matrix.js";

/** Matrices below each other, as CSR. @throws ShapeError unless all have as many columns. */
export function vstack(matrices: readonly SparseMatrix[]): CsrMatrix {
  requireList("vstack", matrices, "sparse matrices");
  requireSparse("vstack", ...matrices);
  return fromLists(
    chain(
      matrices.map((m) => majorLists(toCsr(m))),
      "vstack",
      "columns",
    ),
    "csr",
  ) as CsrMatrix;
}

/** Matrices beside each other, as CSC. @throws ShapeError unless all have as many rows. */
export function hstack(matrices: readonly SparseMatrix[]): CscMatrix {
  requireList("hstack", matrices, "sparse matrices");
  requireSparse("hstack", ...matrices);
  return fromLists(
    chain(
      matrices.map((m) => majorLists(toCsc(m))),
      "hstack",
      "rows",
    ),
    "csc",
  ) as CscMatrix;
}

/**
 * A matrix of blocks, as CSR; `null` is a block of zeros, whose extents the other blocks of its row and column give.
 * @throws ShapeError if blocks do not fit; ValueError if a row or column holds no block.
 */
export function block(blocks: readonly (readonly (SparseMatrix | null)[])[]): CsrMatrix {
  requireList("block", blocks, "rows of sparse matrices");
  for (const row of blocks) requireList("block", row, "sparse matrices");
  const rows = blocks.map((row, i) => extentOf(row, "rows", `block row ${i}`));
  const width = blocks.length === 0 ? 0 : blocks[0].length;
  const columns = Array.from({ length: width }, (_, j) =>
    extentOf(
      blocks.map((row) => row[j] ?? null),
      "columns",
      `block column ${j}`,
    ),
  );
  const zero = toCsr(identity(0));
  const filled = blocks.map((row, i) =>
    row.map((m, j) => {
      if (m === null)
        return fromLists(
          { ...majorLists(zero), major: columns[j], minor: rows[i], indptr: new Int32Array(columns[j] + 1) },
          "csc",
        );
      return m;
    }),
  );
  return vstack(filled.map(hstack));
}

function extentOf(line: readonly (SparseMatrix | null)[], axis: "rows" | "columns", name: string): number {
  const first = line.find((m) => m !== null);
  if (!first) throw new ValueError(`block: ${name} needs at least one block that is not null`);
  return first[axis];
}

function chain(lists: readonly Compressed[], operation: string, axis: string): Compressed {
  if (lists.length === 0) throw new ValueError(`${operation}: at least one matrix is needed`);
  const minor = lists[0].minor;
  const wrong = lists.findIndex((c) => c.minor !== minor);
  if (wrong > 0) {
    throw new ShapeError(`${operation}: matrix ${wrong} has ${lists[wrong].minor} ${axis}, the first has ${minor}`);
  }
  const major = lists.reduce((sum, c) => sum + c.major, 0);
  const entries = lists.reduce((sum, c) => sum + c.indices.length, 0);
  const indptr = new Int32Array(major + 1);
  const indices = new Int32Array(entries);
  const values = new Float64Array(entries);
  let list = 0;
  let used = 0;
  for (const c of lists) {
    indices.set(c.indices, used);
    values.set(c.values, used);
    for (let i = 0; i < c.major; i++) indptr[++list] = used + c.indptr[i + 1];
    used += c.indices.length;
  }
  return { major, minor, indptr, indices, values };
}

/** Kronecker product, `[a.rows * b.rows, a.columns * b.columns]`, as CSR. */
export function kron(a: SparseMatrix, b: SparseMatrix): CsrMatrix {
  requireSparse("kron", a, b);
  const left = majorLists(toCsr(a));
  const right = majorLists(toCsr(b));
  const major = left.major * right.major;
  const indptr = new Int32Array(major + 1);
  const indices = new Int32Array(left.indices.length * right.indices.length);
  const values = new Float64Array(indices.length);
  let used = 0;
  for (let i = 0; i < left.major; i++) {
    for (let k = 0; k < right.major; k++) {
      for (let p = left.indptr[i]; p < left.indptr[i + 1]; p++) {
        for (let q = right.indptr[k]; q < right.indptr[k + 1]; q++) {
          indices[used] = left.indices[p] * right.minor + right.indices[q];
          values[used++] = left.values[p] * right.values[q];
        }
      }
      indptr[i * right.major + k + 1] = used;
    }
  }
  return fromLists({ major, minor: left.minor * right.minor, indptr, indices, values }, "csr") as CsrMatrix;
}
