import { requireInteger } from "@offprint/tensor-core";
import { collect } from "./forest-block.js";

/** The two colours of a chessboard, for a lattice whose nodes are numbered row by row: no two neighbours in one block. */
export function checkerboard(rows: number, columns: number): Int32Array[] {
  return split("checkerboard", rows, columns, (r, c) => (r + c) % 2);
}

/**
 * Two interlocking combs, for a lattice whose nodes are numbered row by row: the top row with the even columns but their
 * last cells, and the bottom row with the odd columns but their first cells. Each is a tree.
 */
export function combs(rows: number, columns: number): Int32Array[] {
  return split("combs", rows, columns, (r, c) => {
    if (r === 0) return 0;
    if (r === rows - 1) return 1;
    return c % 2;
  });
}

function split(owner: string, rows: number, columns: number, side: (r: number, c: number) => number): Int32Array[] {
  requireInteger(owner, "rows", rows, 1);
  requireInteger(owner, "columns", columns, 1);
  const classes = Int32Array.from({ length: rows * columns }, (_, i) => side(Math.floor(i / columns), i % columns));
  return collect(classes, 2).filter(({ length }) => length > 0);
}
