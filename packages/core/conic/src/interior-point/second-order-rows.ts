import { matmul, type sparse, tensor } from "@offprint/tensor-core";
import type { ConeBlock } from "../cones.js";
import type { RowGroup, SymmetricTarget } from "./normal-matrix.js";
import { type RowBlock, rowBlock } from "./row-block.js";
import type { SecondOrderScaling } from "./second-order-scaling.js";

/** @internal Rows of one second-order cone: the Gram matrix of the scaled columns W^-1 a_j. */
export class SecondOrderRows implements RowGroup {
  readonly cliques: readonly (readonly number[])[];
  private readonly data: RowBlock;
  private readonly column: Float64Array;
  private readonly scaled: Float64Array;

  constructor(
    rows: sparse.CsrMatrix,
    private readonly block: ConeBlock,
    private readonly scaling: SecondOrderScaling,
  ) {
    this.data = rowBlock(rows, block);
    this.cliques = [this.data.columns];
    // The scaling reads and writes at the rows of its cone.
    this.column = new Float64Array(block.start + block.length);
    this.scaled = new Float64Array(this.data.columns.length * block.length);
  }

  addTo(target: SymmetricTarget): void {
    const { column, scaled, scaling } = this;
    const { start, length } = this.block;
    const { columns, entries } = this.data;
    for (const [k, { rows, values }] of entries.entries()) {
      column.fill(0, start);
      for (let p = 0; p < rows.length; p++) column[start + rows[p]] = values[p];
      scaling.unscaleTransposed(column, column);
      scaled.set(column.subarray(start), k * length);
    }
    addGram(scaled, columns, length, target);
  }
}

/** @internal Adds the inner products of the rows `[columns.length, length]`. */
export function addGram(rows: Float64Array, columns: readonly number[], length: number, target: SymmetricTarget): void {
  const count = columns.length;
  if (count === 0) return;
  const matrix = tensor(rows, { shape: [count, length] });
  const gram = matmul(matrix, matrix.transpose()).data();
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) target.add(columns[i], columns[j], gram[i * count + j]);
  }
}
