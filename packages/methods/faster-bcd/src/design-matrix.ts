import {
  asTensor,
  DTypeError,
  requireObject,
  ShapeError,
  sparse,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { DenseDesign } from "./dense-design.js";
import type { GramCache } from "./gram-cache.js";
import { SparseDesign } from "./sparse-design.js";

/** A product A_b d with the rows in which it may not be zero; belongs to one state, and is reused. */
export interface ColumnProduct {
  /** `[rows]`, zero outside the touched rows. */
  readonly values: Float64Array;
  /** Touched rows, of which the first `count` count. */
  readonly rows: Int32Array;
  count: number;
}

/** A matrix A `[rows, columns]` that is used by columns: dense, or sparse at the cost of its entries. */
export interface DesignMatrix {
  readonly rows: number;
  readonly columns: number;
  /** A product to be filled, zero so far. */
  emptyProduct(): ColumnProduct;
  /** Makes `into` A_b d. */
  product(block: Int32Array, d: Float64Array, into: ColumnProduct): void;
  /** out = A^T s. */
  transposed(s: Float64Array, out: Float64Array): void;
  /** out `[t]` = A_b^T s. */
  transposedBlock(s: Float64Array, block: Int32Array, out: Float64Array): void;
  /** out += A^T s for s that is zero outside the rows of `touched`. */
  addTransposed(s: Float64Array, touched: ColumnProduct, out: Float64Array): void;
  /** out += factor A^T A_b d, where `product` is A_b d; with columns of A^T A where the cache has them. */
  addGramProduct(
    block: Int32Array,
    d: Float64Array,
    product: ColumnProduct,
    factor: number,
    out: Float64Array,
    cache?: GramCache,
  ): void;
  /** A cache for one run, where columns of A^T A are worth keeping. */
  gramCache?(spent?: Float64Array): GramCache;
  /** A_b^T diag(weights) A_b `[t * t]`; weights default to ones. */
  gram(block: Int32Array, weights?: Float64Array): Float64Array;
  /** A in rows and columns of the block, `[t * t]`. */
  submatrix(block: Int32Array): Float64Array;
  /** `[columns]` squared norms. */
  squaredNorms(): Float64Array;
  /** `[columns]` sums over j of |A_i^T A_j|, without keeping A^T A. */
  gramRowSums(): Float64Array;
  /** The matrix as compressed sparse rows. */
  csr(): sparse.CsrMatrix;
}

/** A matrix in any form that problems take. */
export type MatrixInput = TensorLike | sparse.SparseMatrix;

/**
 * A dense matrix is copied, column after column; one in float64 that lies so already is used as it lies.
 * @throws DTypeError, ShapeError or ValueError for what is no finite matrix.
 */
export function designMatrix(owner: string, name: string, given: MatrixInput): DesignMatrix {
  if (sparse.isSparseMatrix(given)) {
    const bad = given.values.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) throw new ValueError(`${owner}: ${name} holds ${given.values[bad]}; its entries must be finite`);
    return new SparseDesign(sparse.toCsr(given), sparse.toCsc(given));
  }
  requireObject(owner, name, given, "a matrix");
  const t = asTensor(given as TensorLike, Array.isArray(given) ? "float64" : undefined);
  if (t.dtype === "bool") throw new DTypeError(`${owner}: ${name} is of dtype bool; give numbers`);
  if (t.rank !== 2) throw new ShapeError(`${owner}: ${name} has shape [${t.shape}]; it must be a matrix`);
  const [rows, columns] = t.shape;
  const stored = storedByColumns(t);
  const byColumns = stored ?? new Float64Array(rows * columns);
  const design = new DenseDesign(rows, columns, byColumns);
  // The norms are needed anyway, and are finite only where all entries are; where they are not, they may have overflowed.
  const finite = stored
    ? design.squaredNorms().every(Number.isFinite) || stored.every(Number.isFinite)
    : transpose(t.data(), byColumns, rows, columns);
  if (!finite) {
    const p = byColumns.findIndex((v) => !Number.isFinite(v));
    const place = `${p % rows}, ${Math.floor(p / rows)}`;
    throw new ValueError(`${owner}: ${name} holds ${byColumns[p]} at [${place}]; its entries must be finite`);
  }
  return design;
}

/** The values of a float64 matrix that lies column after column, such as the transpose of one that lies by rows. */
function storedByColumns(t: Tensor): Float64Array | undefined {
  const [rows, columns] = t.shape;
  if (t.dtype !== "float64") return undefined;
  const { data, stride, offset } = t.ndarray();
  if (stride[0] !== 1 || stride[1] !== rows) return undefined;
  return (data as Float64Array).subarray(offset, offset + rows * columns);
}

/** Rows and columns of a tile that stays in the cache. */
const TILE = 32;

/** Rows `[rows, columns]` to columns, tile by tile; tells whether all are finite. */
function transpose(from: ArrayLike<number>, to: Float64Array, rows: number, columns: number): boolean {
  // v - v is NaN where v is not finite.
  let difference = 0;
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(rows, top + TILE);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(columns, left + TILE);
      for (let j = left; j < right; j++) {
        for (let i = top, p = top * columns + j; i < bottom; i++, p += columns) {
          const v = from[p];
          to[j * rows + i] = v;
          difference += v - v;
        }
      }
    }
  }
  return difference === 0;
}
