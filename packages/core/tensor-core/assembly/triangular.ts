import { gemm, packRows, TILE_ROWS, tile } from "./gemm";
import { BLOCK_COLUMNS, BLOCK_ROWS, panelA, panelB } from "./memory";
import { at } from "./vector";

/** Rows that are solved in packed panels, as fast as products; everything between such blocks is a product. */
export const BLOCK: i32 = BLOCK_ROWS;

/** How the diagonal of a triangle is made or read. */
export const GIVEN: i32 = 0;
export const UNIT: i32 = 1;
export const ROOT: i32 = 2;

/**
 * Four rows, from `i` on, of the solution X of A X = B in a packed panel of four right-hand sides, which holds -B, and
 * before row `i` the solution, which is 0 before row `from`. `a` is the packed panel of these rows of A. With `ROOT` both are the same panel and A is
 * the factor of -B: roots of the pivots become its diagonal. Returns -1, or the first row whose pivot is not positive.
 */
function solveRows(from: i32, i: i32, count: i32, a: usize, x: usize, diagonal: i32): i32 {
  let row = x + (<usize>i << 5);
  const zeros = <usize>from << 5;
  if (i > from) tile<f64>(i - from, a + zeros, x + zeros, row, 32);
  a += <usize>i << 5;
  const first = row;
  for (let r = 0; r < count; r++) {
    let left = v128.load(row),
      right = v128.load(row, 16);
    let solved = first;
    let factor = a + (<usize>r << 3);
    for (let q = 0; q < r; q++) {
      const value = v128.load64_splat(factor);
      left = f64x2.add(left, f64x2.mul(value, v128.load(solved)));
      right = f64x2.add(right, f64x2.mul(value, v128.load(solved, 16)));
      solved += 32;
      factor += 32;
    }
    left = f64x2.neg(left);
    right = f64x2.neg(right);
    v128.store(row, left);
    v128.store(row, right, 16);
    if (diagonal != UNIT) {
      const given = load<f64>(factor);
      let pivot = given;
      if (diagonal == ROOT) {
        if (!(given > 0) || given == Infinity) return i + r;
        pivot = sqrt(given);
      }
      const divisor = f64x2.splat(pivot);
      v128.store(row, f64x2.div(left, divisor));
      v128.store(row, f64x2.div(right, divisor), 16);
      if (diagonal == ROOT) store<f64>(factor, pivot);
    }
    row += 32;
  }
  return -1;
}

/** Copies panels of four lines back to where they lie. */
export function unpackRows(from: usize, to: usize, rowStride: i32, columnStride: i32, rows: i32, depth: i32): void {
  for (let i = 0; i < rows; i++) {
    let value = from + <usize>(i & -TILE_ROWS) * <usize>depth * 8 + (<usize>(i & (TILE_ROWS - 1)) << 3);
    let place = to + ((<usize>i * <usize>rowStride) << 3);
    for (let p = 0; p < depth; p++) {
      store<f64>(place, load<f64>(value));
      value += 32;
      place += <usize>columnStride << 3;
    }
  }
}

/** Factorises the block -A[count, count] that lies packed in front of `gemm`'s panels. See `solveRows`. */
export function factorBlock(count: i32): i32 {
  const panelBytes = <usize>count << 3;
  for (let i = 0; i < count; i += TILE_ROWS) {
    const x = panelA() + <usize>i * panelBytes;
    for (let j = 0; j < i; j += TILE_ROWS) solveRows(0, j, TILE_ROWS, panelA() + <usize>j * panelBytes, x, GIVEN);
    const failed = solveRows(0, i, min(TILE_ROWS, count - i), x, x, ROOT);
    if (failed >= 0) return failed;
  }
  return -1;
}

/**
 * Solves A X = B in place of B[count, columns] of any strides, for the lower triangle A[count, count] that lies packed in
 * `gemm`'s first panel. Column `zeros` + j of B, a multiple of four, begins with j zeros.
 */
export function solveBlock(count: i32, columns: i32, b: usize, bRow: i32, bColumn: i32, zeros: i32, diagonal: i32): void {
  const panelBytes = <usize>count << 3;
  for (let j0 = 0; j0 < columns; j0 += BLOCK_COLUMNS) {
    const nj = min(BLOCK_COLUMNS, columns - j0);
    const part = b + ((<usize>j0 * <usize>bColumn) << 3);
    packRows<f64>(panelB(), part, bColumn, bRow, nj, count, -1);
    for (let j = 0; j < nj; j += TILE_ROWS) {
      const x = panelB() + <usize>j * panelBytes;
      const from = max(0, j0 + j - zeros);
      for (let i = from; i < count; i += TILE_ROWS) {
        solveRows(from, i, min(TILE_ROWS, count - i), panelA() + <usize>i * panelBytes, x, diagonal);
      }
    }
    unpackRows(panelB(), part, bColumn, bRow, nj, count);
  }
}

/**
 * Solves A X = B in place of B[n, columns] (row-major, rows `bStride` apart) for triangular A[n, n] of any strides.
 * `lower` says which triangle is read; with `unit` its diagonal is taken as 1 and not read.
 */
export function solveTriangle(
  n: i32,
  columns: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bStride: i32,
  lower: bool,
  unit: bool,
): void {
  if (!lower) {
    // From the last row up, it is a lower triangle.
    a += (<usize>(n - 1) * <usize>(aRow + aColumn)) << 3;
    b += (<usize>(n - 1) * <usize>bStride) << 3;
    aRow = -aRow;
    aColumn = -aColumn;
    bStride = -bStride;
  }
  for (let first = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    const block = at(b, bStride, first, 0);
    const rows = a + ((<usize>first * <usize>aRow) << 3);
    // Subtract what the rows already solved contribute.
    if (first > 0) gemm<f64>(count, columns, first, rows, aRow, aColumn, b, bStride, 1, block, bStride, -1, columns);
    packRows<f64>(panelA(), rows + ((<usize>first * <usize>aColumn) << 3), aRow, aColumn, count, count, 1);
    solveBlock(count, columns, block, bStride, 1, columns, unit ? UNIT : GIVEN);
  }
}

export function triangularSolve(
  n: i32,
  columns: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  lower: i32,
  unit: i32,
): void {
  solveTriangle(n, columns, a, aRow, aColumn, b, columns, lower != 0, unit != 0);
}
