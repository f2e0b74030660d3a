import { checkOptions } from "../check-options.js";
import { ValueError } from "../errors.js";
import { type MatrixLike, readMatrix } from "./dense-operand.js";
import { isSparseMatrix, type SparseMatrix, toCsc } from "./sparse-matrix.js";

/** How {@link formatMatrixMarket} writes. */
export interface MatrixMarketFormatOptions {
  /**
   * `"general"` (default), or write only the lower triangle of a symmetric or skew-symmetric matrix; a matrix that is
   * not so is a ValueError.
   */
  readonly symmetry?: "general" | "symmetric" | "skew-symmetric";
  /** Text after the header, written as comment lines. */
  readonly comment?: string;
}

/**
 * MatrixMarket text of a matrix: `coordinate` for a sparse one, `array` for a dense one. Values are written with all
 * digits, so that reading gives the same doubles.
 *
 * @throws ValueError if the matrix does not have the requested symmetry.
 * @see https://math.nist.gov/MatrixMarket/formats.html
 */
export function formatMatrixMarket(a: SparseMatrix | MatrixLike, options: MatrixMarketFormatOptions = {}): string {
  checkOptions("formatMatrixMarket", options, ["symmetry", "comment"]);
  const { symmetry = "general", comment } = options;
  const comments = comment === undefined ? [] : comment.split(/\r?\n/).map((line) => `%${line}`);
  const sparse = isSparseMatrix(a);
  const header = `%%MatrixMarket matrix ${sparse ? "coordinate" : "array"} real ${symmetry}`;
  const body = sparse ? coordinateLines(a, symmetry) : arrayLines(a, symmetry);
  return `${[header, ...comments, ...body].join("\n")}\n`;
}

type Symmetry = NonNullable<MatrixMarketFormatOptions["symmetry"]>;

/** Sign of the mirrored entry. */
function mirrorSign(symmetry: Symmetry): number {
  return symmetry === "skew-symmetric" ? -1 : 1;
}

function refuse(symmetry: Symmetry, i: number, j: number): never {
  throw new ValueError(
    `formatMatrixMarket: the matrix is not ${symmetry} at (${i}, ${j}): write it with symmetry "general"`,
  );
}

function coordinateLines(a: SparseMatrix, symmetry: Symmetry): string[] {
  const { indptr, indices, values, rows, columns } = toCsc(a);
  if (symmetry !== "general") checkSparseSymmetry(a, symmetry);
  const lines: string[] = [];
  for (let j = 0; j < columns; j++) {
    for (let p = indptr[j]; p < indptr[j + 1]; p++) {
      const i = indices[p];
      if (symmetry !== "general" && (i < j || (i === j && symmetry === "skew-symmetric"))) continue;
      lines.push(`${i + 1} ${j + 1} ${values[p]}`);
    }
  }
  return [`${rows} ${columns} ${lines.length}`, ...lines];
}

function checkSparseSymmetry(a: SparseMatrix, symmetry: Symmetry): void {
  const sign = mirrorSign(symmetry);
  if (a.rows !== a.columns) refuse(symmetry, a.rows, a.columns);
  const byColumn = toCsc(a);
  const next = byColumn.indptr.slice(0, a.columns);
  // Columns are visited in order, so the mirror of (i, j) is the next unvisited entry of column i.
  for (let j = 0; j < a.columns; j++) {
    for (let p = byColumn.indptr[j]; p < byColumn.indptr[j + 1]; p++) {
      const i = byColumn.indices[p];
      const mirror = next[i]++;
      const there = mirror < byColumn.indptr[i + 1] && byColumn.indices[mirror] === j;
      if (!there || byColumn.values[mirror] !== sign * byColumn.values[p]) refuse(symmetry, i, j);
    }
  }
}

function arrayLines(a: MatrixLike, symmetry: Symmetry): string[] {
  const { shape, values } = readMatrix(a, "formatMatrixMarket: a");
  const [rows, columns] = shape;
  if (symmetry !== "general" && rows !== columns) refuse(symmetry, rows, columns);
  const lines: string[] = [`${rows} ${columns}`];
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) {
      const value = values[i * columns + j];
      if (symmetry !== "general") {
        if (values[j * columns + i] !== mirrorSign(symmetry) * value) refuse(symmetry, i, j);
        if (i < j || (i === j && symmetry === "skew-symmetric")) continue;
      }
      lines.push(String(value));
    }
  }
  return lines;
}
