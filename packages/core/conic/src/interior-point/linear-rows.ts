import type { sparse } from "@offprint/tensor-core";
import type { ConeBlock } from "../cones.js";
import type { RowGroup, SymmetricTarget } from "./normal-matrix.js";
import type { OrthantScaling } from "./orthant-scaling.js";
import { addGram } from "./second-order-rows.js";

/** Rows with this share of nonzero entries are multiplied as dense ones, if there are enough of them. */
const DENSE_FROM = 0.3;
const DENSE_MULTIPLICATIONS = 1e5;

/** @internal Rows of the nonnegative orthant: sum_i a_i a_i^T y_i / s_i. */
export class LinearRows implements RowGroup {
  readonly cliques: readonly (readonly number[])[];
  /** The transpose `[columns, length]`, where hardly any entry is zero. */
  private readonly dense: Float64Array | undefined;

  constructor(
    private readonly rows: sparse.CsrMatrix,
    private readonly block: ConeBlock,
    private readonly scaling: OrthantScaling,
  ) {
    const { indptr, indices, values, columns } = rows;
    this.cliques = Array.from({ length: block.length }, (_, k) =>
      Array.from(indices.subarray(indptr[block.start + k], indptr[block.start + k + 1])),
    );
    const size = block.length * columns;
    const entries = indptr[block.start + block.length] - indptr[block.start];
    if (entries < DENSE_FROM * size || size * columns < DENSE_MULTIPLICATIONS) return;
    this.dense = new Float64Array(size);
    for (let k = 0, i = block.start; k < block.length; k++, i++) {
      for (let p = indptr[i]; p < indptr[i + 1]; p++) this.dense[indices[p] * block.length + k] = values[p];
    }
  }

  addTo(target: SymmetricTarget): void {
    if (this.dense !== undefined) {
      this.addDense(this.dense, target);
      return;
    }
    const { indptr, indices, values } = this.rows;
    for (let k = 0, i = this.block.start; k < this.block.length; k++, i++) {
      const weight = 1 / (this.scaling.weights[k] * this.scaling.weights[k]);
      for (let p = indptr[i]; p < indptr[i + 1]; p++) {
        const factor = weight * values[p];
        for (let q = indptr[i]; q <= p; q++) target.add(indices[p], indices[q], factor * values[q]);
      }
    }
  }

  private addDense(transposed: Float64Array, target: SymmetricTarget): void {
    const { length } = this.block;
    const { weights } = this.scaling;
    const scaled = transposed.map((value, p) => value / weights[p % length]);
    const columns = Array.from({ length: this.rows.columns }, (_, j) => j);
    addGram(scaled, columns, length, target);
  }
}
