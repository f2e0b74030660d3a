import type { sparse } from "@offprint/tensor-core";
import type { ConeBlock } from "../cones.js";

/** @internal The entries of a block of rows of A by column, for the columns that have any. */
export interface RowBlock {
  /** The columns, ascending. */
  readonly columns: readonly number[];
  /** For every one of them its rows, counted from the block's first, and values. */
  readonly entries: readonly { readonly rows: readonly number[]; readonly values: readonly number[] }[];
}

/** @internal Reads a block of rows. */
export function rowBlock({ indptr, indices, values }: sparse.CsrMatrix, { start, length }: ConeBlock): RowBlock {
  const byColumn = new Map<number, { rows: number[]; values: number[] }>();
  for (let k = 0; k < length; k++) {
    for (let p = indptr[start + k]; p < indptr[start + k + 1]; p++) {
      if (values[p] === 0) continue;
      let entry = byColumn.get(indices[p]);
      if (entry === undefined) {
        entry = { rows: [], values: [] };
        byColumn.set(indices[p], entry);
      }
      entry.rows.push(k);
      entry.values.push(values[p]);
    }
  }
  const columns = [...byColumn.keys()].sort((a, b) => a - b);
  return { columns, entries: columns.map((j) => byColumn.get(j) as { rows: number[]; values: number[] }) };
}
