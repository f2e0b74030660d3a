import { matmul, type sparse, tensor } from "@offprint/tensor-core";
import { rowProducts } from "@offprint/tensor-core/internal";

/** A matrix with this share of nonzero entries is multiplied as a dense one. */
const DENSE_FROM = 0.3;

/** @internal A constraint matrix with hardly any zeros, as linear matrix inequalities often have: rows in one array. */
export class DenseProduct {
  private readonly values: Float64Array;

  private constructor(
    private readonly rows: number,
    private readonly columns: number,
    { indptr, indices, values }: sparse.CscMatrix,
  ) {
    this.values = new Float64Array(rows * columns);
    for (let j = 0; j < columns; j++) {
      for (let p = indptr[j]; p < indptr[j + 1]; p++) this.values[indices[p] * columns + j] = values[p];
    }
  }

  /** The dense form of `a`, or nothing where too many entries are zero. */
  static of(a: sparse.CscMatrix): DenseProduct | undefined {
    const size = a.rows * a.columns;
    return size > 0 && a.entries > DENSE_FROM * size ? new DenseProduct(a.rows, a.columns, a) : undefined;
  }

  /** `out = A x` */
  apply(x: Float64Array, out: Float64Array): void {
    rowProducts(this.values, x, out);
  }

  /** `out = A^T y` */
  applyTransposed(y: Float64Array, out: Float64Array): void {
    const { rows, columns, values } = this;
    out.fill(0);
    const whole = rows - (rows % 4);
    for (let i = 0, p = 0; i < whole; i += 4, p += 4 * columns) {
      const [f0, f1, f2, f3] = [y[i], y[i + 1], y[i + 2], y[i + 3]];
      const [q, r, s] = [p + columns, p + 2 * columns, p + 3 * columns];
      for (let j = 0; j < columns; j++) {
        out[j] += f0 * values[p + j] + f1 * values[q + j] + (f2 * values[r + j] + f3 * values[s + j]);
      }
    }
    for (let i = whole, p = whole * columns; i < rows; i++, p += columns) {
      for (let j = 0; j < columns; j++) out[j] += y[i] * values[p + j];
    }
  }

  /** `A^T diag(weights) A`, `[columns, columns]` row-major. */
  gram(weights: Float64Array): Float64Array {
    const { rows, columns, values } = this;
    const weighted = values.slice();
    for (let i = 0, p = 0; i < rows; i++) for (let j = 0; j < columns; j++, p++) weighted[p] *= weights[i];
    const shape = [rows, columns];
    return matmul(tensor(weighted, { shape }).transpose(), tensor(values, { shape })).data() as Float64Array;
  }
}
