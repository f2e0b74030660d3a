import { checkOptions } from "../check-options.js";
import { ShapeError, ValueError } from "../errors.js";
import { compressTriplets } from "./compressed.js";
import { CsrMatrix, csrFrom } from "./csr-matrix.js";
import { minimumDegreeOrder } from "./minimum-degree.js";
import { requireSparse } from "./operands.js";
import { checkPermutation } from "./slice.js";
import { type SparseMatrix, toCoo } from "./sparse-matrix.js";

/** How {@link analyzePattern} reads and orders a symmetric matrix. */
export interface AnalyzeOptions {
  /**
   * Order of elimination: approximate minimum degree (`"amd"`, default), as it stands (`"natural"`), or a permutation
   * whose entry `k` is the row eliminated in step `k`.
   */
  readonly ordering?: "amd" | "natural" | ArrayLike<number>;
  /** The triangle that is read (default `"upper"`); the other one is taken to mirror it, stored or not. */
  readonly triangle?: "upper" | "lower";
}

/** @internal The names in {@link AnalyzeOptions}. */
export const ANALYZE_OPTIONS = ["ordering", "triangle"];

/**
 * The pattern of a symmetric matrix and of its factor: everything about a factorisation that does not depend on the
 * values, so that matrices of one pattern are factored again and again at the cost of the arithmetic alone.
 */
export interface SymbolicFactorization {
  /** Order of the matrix. */
  readonly n: number;
  /** Stored entries of the analysed matrix: the length of the `values` that factorisations take. */
  readonly entries: number;
  /** Entry `k` is the row eliminated in step `k`. */
  readonly permutation: Int32Array;
  /** Entries of the factor below the diagonal. */
  readonly factorEntries: number;
  /** @internal Upper triangle of the permuted matrix by columns: pointers, rows, and positions in `values`. */
  readonly pointers: Int32Array;
  /** @internal */
  readonly rows: Int32Array;
  /** @internal */
  readonly sources: Int32Array;
  /** @internal Parent of each column in the elimination tree, -1 for a root. */
  readonly parent: Int32Array;
  /** @internal Strictly lower factor by columns. */
  readonly factorPointers: Int32Array;
  /** @internal */
  readonly factorRows: Int32Array;
}

/**
 * Analyses the pattern of the symmetric matrix `a`, of which one triangle is read (so a full matrix or a triangle may
 * be passed). Stored zeros belong to the pattern. Cost about that of the factor's size.
 *
 * @throws ShapeError if `a` is not square; ValueError for an ordering that is not a permutation, or a COO matrix with
 * duplicates.
 */
export function analyzePattern(a: SparseMatrix, options: AnalyzeOptions = {}): SymbolicFactorization {
  const parts = analyzingPattern(a, options);
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
  }
}

/**
 * {@link analyzePattern} in parts, of some milliseconds where there are some hundred thousand entries: whoever runs it may
 * do something else wherever it yields.
 *
 * @throws as {@link analyzePattern}, at once for what is wrong with the arguments.
 */
export function analyzingPattern(
  a: SparseMatrix,
  options: AnalyzeOptions = {},
): Generator<undefined, SymbolicFactorization, undefined> {
  requireSparse("analyzePattern", a);
  checkOptions("analyzePattern", options, ANALYZE_OPTIONS);
  if (a.rows !== a.columns) throw new ShapeError(`analyzePattern: a must be square, got [${a.shape}]`);
  return analysis(a, options);
}

function* analysis(
  a: SparseMatrix,
  { ordering = "amd", triangle = "upper" }: AnalyzeOptions,
): Generator<undefined, SymbolicFactorization, undefined> {
  const n = a.rows;
  const kept = readTriangle(a, triangle === "upper");
  yield;
  const permutation = yield* chooseOrder(n, kept, ordering, a.format);
  yield;
  const place = new Int32Array(n);
  for (let k = 0; k < n; k++) place[permutation[k]] = k;

  const count = kept.i.length;
  const columns = new Int32Array(count);
  const rows = new Int32Array(count);
  for (let p = 0; p < count; p++) {
    const [i, j] = [place[kept.i[p]], place[kept.j[p]]];
    columns[p] = Math.max(i, j);
    rows[p] = Math.min(i, j);
  }
  yield;
  // Positions travel as values through the sort by columns.
  const upper = compressTriplets(n, n, columns, rows, Float64Array.from(kept.position));
  if (upper.indices.length !== count) {
    throw new ValueError("analyzePattern: a holds duplicate entries: convert it with toCsr first");
  }
  yield;
  const pattern = { pointers: upper.indptr, rows: upper.indices };
  const { parent, factorPointers, factorRows } = yield* factorPattern(n, pattern.pointers, pattern.rows);
  return {
    n,
    entries: a.entries,
    permutation,
    factorEntries: factorRows.length,
    ...pattern,
    sources: Int32Array.from(upper.values),
    parent,
    factorPointers,
    factorRows,
  };
}

interface Triangle {
  readonly i: Int32Array;
  readonly j: Int32Array;
  readonly position: Int32Array;
}

function readTriangle(a: SparseMatrix, upper: boolean): Triangle {
  const { rowIndices, columnIndices } = toCoo(a);
  let count = 0;
  const position = new Int32Array(a.entries);
  for (let p = 0; p < a.entries; p++) {
    const above = columnIndices[p] - rowIndices[p];
    if (above === 0 || above > 0 === upper) position[count++] = p;
  }
  const kept = position.slice(0, count);
  return { i: kept.map((p) => rowIndices[p]), j: kept.map((p) => columnIndices[p]), position: kept };
}

function* chooseOrder(
  n: number,
  kept: Triangle,
  ordering: AnalyzeOptions["ordering"],
  format: SparseMatrix["format"],
): Generator<undefined, Int32Array, undefined> {
  if (ordering === "natural") return Int32Array.from({ length: n }, (_, k) => k);
  if (ordering === "amd" || ordering === undefined) {
    const half = triangleLists(n, kept, format);
    yield;
    return yield* minimumDegreeOrder(half);
  }
  if (typeof ordering === "string") {
    throw new ValueError(`analyzePattern: ordering must be "amd", "natural" or a permutation, got "${ordering}"`);
  }
  checkPermutation(ordering, n, "analyzePattern: ordering");
  return Int32Array.from(ordering);
}

/** The triangle or its mirror image, in compressed lists: what comes row by row or column by column is in order already. */
function triangleLists(n: number, { i, j }: Triangle, format: SparseMatrix["format"]): CsrMatrix {
  const ones = new Float64Array(i.length).fill(1);
  if (format === "coo") return csrFrom(compressTriplets(n, n, i, j, ones));
  const [major, minor] = format === "csr" ? [i, j] : [j, i];
  const indptr = new Int32Array(n + 1);
  for (let p = 0; p < major.length; p++) indptr[major[p] + 1]++;
  for (let k = 0; k < n; k++) indptr[k + 1] += indptr[k];
  return new CsrMatrix(n, n, indptr, minor, ones, false);
}

/**
 * Elimination tree and pattern of the strictly lower factor, by walking the row subtrees (Liu 1990): row `k` of the
 * factor holds every column met on the way up the tree from an entry of column `k` of the upper triangle.
 */
function* factorPattern(n: number, pointers: Int32Array, rows: Int32Array) {
  const parent = new Int32Array(n).fill(-1);
  const mark = new Int32Array(n).fill(-1);
  const counts = new Int32Array(n + 1);
  for (let k = 0; k < n; k++) {
    mark[k] = k;
    for (let p = pointers[k]; p < pointers[k + 1]; p++) {
      for (let i = rows[p]; mark[i] !== k; i = parent[i]) {
        if (parent[i] === -1) parent[i] = k;
        counts[i + 1]++;
        mark[i] = k;
      }
    }
  }
  const factorPointers = counts;
  for (let i = 0; i < n; i++) factorPointers[i + 1] += factorPointers[i];
  const factorRows = new Int32Array(factorPointers[n]);
  const next = factorPointers.slice(0, n);
  mark.fill(-1);
  yield;
  for (let k = 0; k < n; k++) {
    mark[k] = k;
    for (let p = pointers[k]; p < pointers[k + 1]; p++) {
      for (let i = rows[p]; mark[i] !== k; i = parent[i]) {
        factorRows[next[i]++] = k;
        mark[i] = k;
      }
    }
  }
  return { parent, factorPointers, factorRows };
}

/** @internal The values of `a` in the order that `symbolic` expects. @throws ShapeError for another pattern. */
export function valuesFor(symbolic: SymbolicFactorization, a: SparseMatrix | Float64Array, name: string): Float64Array {
  if (typeof symbolic !== "object" || symbolic === null || !("entries" in symbolic)) {
    throw new ValueError(
      `sparse.${name}: the first argument is no analysed pattern; make it with sparse.analyzePattern`,
    );
  }
  if (!(a instanceof Float64Array)) requireSparse(name, a);
  const values = a instanceof Float64Array ? a : a.values;
  if (values.length !== symbolic.entries || (!(a instanceof Float64Array) && a.rows !== symbolic.n)) {
    throw new ShapeError(
      `${name}: the analysed pattern has ${symbolic.entries} stored entries, got ${values.length}: ` +
        "factor a matrix of the same pattern and format, or analyse again",
    );
  }
  return values;
}
