/** Elements of the packed panel of A (rows x depth) and of B (depth x columns) that one block of `gemm` uses. */
export const BLOCK_ROWS: i32 = 128;
export const BLOCK_DEPTH: i32 = 256;
export const BLOCK_COLUMNS: i32 = 512;

const PANEL_A_BYTES: usize = BLOCK_ROWS * BLOCK_DEPTH * 8;
const PANEL_B_BYTES: usize = BLOCK_COLUMNS * BLOCK_DEPTH * 8;
const TILE_BYTES: usize = 4 * 8 * 8;

/** Working memory of `gemm`, fixed and in front of everything that the caller places. */
@inline
export function panelA(): usize {
  return (__heap_base + 63) & ~63;
}

@inline
export function panelB(): usize {
  return panelA() + PANEL_A_BYTES;
}

/** Room for one tile of C that crosses the border of the matrix. */
@inline
export function borderTile(): usize {
  return panelB() + PANEL_B_BYTES;
}

/** First byte that the caller may use. */
export function heapBase(): usize {
  return borderTile() + TILE_BYTES;
}
