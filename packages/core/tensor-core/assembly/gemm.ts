import { BLOCK_COLUMNS, BLOCK_DEPTH, BLOCK_ROWS, borderTile, panelA, panelB } from "./memory";

/** Rows of a register tile. Its columns fill two vectors: 8 in float32, 4 in float64. */
export const TILE_ROWS: i32 = 4;

/** Copies `sign` * A[rows, depth] into panels of four rows, depth-major within a panel, zeros past the border. */
export function packRows<T>(to: usize, a: usize, rowStride: i32, columnStride: i32, rows: i32, depth: i32, sign: T): void {
  const size = sizeof<T>();
  const rowBytes = <usize>rowStride * size;
  const columnBytes = <usize>columnStride * size;
  for (let i = 0; i < rows; i += TILE_ROWS) {
    const row = a + <usize>i * rowBytes;
    const filled = min(TILE_ROWS, rows - i);
    if (filled == TILE_ROWS) {
      let from = row;
      for (let p = 0; p < depth; p++) {
        store<T>(to, sign * load<T>(from));
        store<T>(to + size, sign * load<T>(from + rowBytes));
        store<T>(to + 2 * size, sign * load<T>(from + 2 * rowBytes));
        store<T>(to + 3 * size, sign * load<T>(from + 3 * rowBytes));
        to += 4 * size;
        from += columnBytes;
      }
    } else {
      for (let p = 0; p < depth; p++) {
        for (let r = 0; r < TILE_ROWS; r++) {
          const value = r < filled ? sign * load<T>(row + <usize>r * rowBytes + <usize>p * columnBytes) : <T>0;
          store<T>(to, value);
          to += size;
        }
      }
    }
  }
}

/** Copies B[depth, columns] into panels of two vectors of columns, depth-major within a panel, zeros past the border. */
function packColumns<T>(to: usize, b: usize, rowStride: i32, columnStride: i32, depth: i32, columns: i32): void {
  const size = sizeof<T>();
  const width = 32 / <i32>size;
  const rowBytes = <usize>rowStride * size;
  const columnBytes = <usize>columnStride * size;
  for (let j = 0; j < columns; j += width) {
    const filled = min(width, columns - j);
    let from = b + <usize>j * columnBytes;
    if (filled == width && columnStride == 1) {
      for (let p = 0; p < depth; p++) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        to += 32;
        from += rowBytes;
      }
    } else {
      for (let p = 0; p < depth; p++) {
        for (let c = 0; c < width; c++) {
          store<T>(to, c < filled ? load<T>(from + <usize>c * columnBytes) : <T>0);
          to += size;
        }
        from += rowBytes;
      }
    }
  }
}

/** C[4, two vectors] += (packed panel of A) (packed panel of B); rows of C are `rowBytes` apart. */
export function tile<T>(depth: i32, a: usize, b: usize, c: usize, rowBytes: usize): void {
  const size = sizeof<T>();
  let c00 = v128.splat<T>(0),
    c01 = c00,
    c10 = c00,
    c11 = c00;
  let c20 = c00,
    c21 = c00,
    c30 = c00,
    c31 = c00;
  for (let p = 0; p < depth; p++) {
    const b0 = v128.load(b),
      b1 = v128.load(b, 16);
    let row = v128.load_splat<T>(a);
    c00 = v128.add<T>(c00, v128.mul<T>(row, b0));
    c01 = v128.add<T>(c01, v128.mul<T>(row, b1));
    row = v128.load_splat<T>(a, size);
    c10 = v128.add<T>(c10, v128.mul<T>(row, b0));
    c11 = v128.add<T>(c11, v128.mul<T>(row, b1));
    row = v128.load_splat<T>(a, 2 * size);
    c20 = v128.add<T>(c20, v128.mul<T>(row, b0));
    c21 = v128.add<T>(c21, v128.mul<T>(row, b1));
    row = v128.load_splat<T>(a, 3 * size);
    c30 = v128.add<T>(c30, v128.mul<T>(row, b0));
    c31 = v128.add<T>(c31, v128.mul<T>(row, b1));
    a += 4 * size;
    b += 32;
  }
  v128.store(c, v128.add<T>(v128.load(c), c00));
  v128.store(c, v128.add<T>(v128.load(c, 16), c01), 16);
  c += rowBytes;
  v128.store(c, v128.add<T>(v128.load(c), c10));
  v128.store(c, v128.add<T>(v128.load(c, 16), c11), 16);
  c += rowBytes;
  v128.store(c, v128.add<T>(v128.load(c), c20));
  v128.store(c, v128.add<T>(v128.load(c, 16), c21), 16);
  c += rowBytes;
  v128.store(c, v128.add<T>(v128.load(c), c30));
  v128.store(c, v128.add<T>(v128.load(c, 16), c31), 16);
}

/** A tile that crosses the border of C: computed aside, then only its part inside C is added. */
function partialTile<T>(depth: i32, a: usize, b: usize, c: usize, rowBytes: usize, rows: i32, columns: i32): void {
  const size = sizeof<T>();
  const aside = borderTile();
  memory.fill(aside, 0, 4 * 32);
  tile<T>(depth, a, b, aside, 32);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      const at = c + <usize>r * rowBytes + <usize>j * size;
      store<T>(at, load<T>(at) + load<T>(aside + <usize>r * 32 + <usize>j * size));
    }
  }
}

/**
 * C += sign * A B with A[rows, depth], B[depth, columns] of any strides (in elements) and C[rows, columns] row-major
 * with rows `cStride` elements apart. Of C only what its diagonal number `diagonal` and those below it pass through is
 * sure to be computed: all of it where that is `columns`, the lower triangle where it is 0.
 *
 * Blocks of B are packed once and stay in the second-level cache, panels of A stream through the first: the scheme of
 * K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication" (ACM TOMS 34, 2008).
 */
export function gemm<T>(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bRow: i32,
  bColumn: i32,
  c: usize,
  cStride: i32,
  sign: T,
  diagonal: i32,
): void {
  const size = sizeof<T>();
  const width = 32 / <i32>size;
  const rowBytes = <usize>cStride * size;
  for (let j0 = 0; j0 < columns; j0 += BLOCK_COLUMNS) {
    const nj = min(BLOCK_COLUMNS, columns - j0);
    for (let p0 = 0; p0 < depth; p0 += BLOCK_DEPTH) {
      const np = min(BLOCK_DEPTH, depth - p0);
      packColumns<T>(panelB(), b + (<usize>p0 * bRow + <usize>j0 * bColumn) * size, bRow, bColumn, np, nj);
      for (let i0 = 0; i0 < rows; i0 += BLOCK_ROWS) {
        const ni = min(BLOCK_ROWS, rows - i0);
        packRows<T>(panelA(), a + (<usize>i0 * aRow + <usize>p0 * aColumn) * size, aRow, aColumn, ni, np, sign);
        for (let j = 0; j < nj; j += width) {
          const packedB = panelB() + <usize>j * <usize>np * size;
          for (let i = 0; i < ni; i += TILE_ROWS) {
            if (j0 + j >= i0 + i + TILE_ROWS + diagonal) continue;
            const packedA = panelA() + <usize>i * <usize>np * size;
            const at = c + <usize>(i0 + i) * rowBytes + <usize>(j0 + j) * size;
            if (i + TILE_ROWS <= ni && j + width <= nj) tile<T>(np, packedA, packedB, at, rowBytes);
            else partialTile<T>(np, packedA, packedB, at, rowBytes, min(TILE_ROWS, ni - i), min(width, nj - j));
          }
        }
      }
    }
  }
}

export function gemm_32(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bRow: i32,
  bColumn: i32,
  c: usize,
  cStride: i32,
): void {
  gemm<f32>(rows, columns, depth, a, aRow, aColumn, b, bRow, bColumn, c, cStride, 1, columns);
}

export function gemm_64(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bRow: i32,
  bColumn: i32,
  c: usize,
  cStride: i32,
): void {
  gemm<f64>(rows, columns, depth, a, aRow, aColumn, b, bRow, bColumn, c, cStride, 1, columns);
}
