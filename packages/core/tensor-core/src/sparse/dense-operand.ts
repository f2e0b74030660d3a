import { ShapeError, ValueError } from "../errors.js";
import type { Tensor } from "../tensor.js";

/** A dense vector operand: a typed array, plain numbers, or a rank-1 tensor. */
export type VectorLike = Float64Array | readonly number[] | Tensor;

/** A dense matrix in row-major order. */
export interface DenseMatrix {
  /** `[rows, columns]`. */
  readonly shape: readonly [number, number];
  /** `rows * columns` values, row after row. */
  readonly values: Float64Array;
}

/** A dense matrix operand: row-major values with their shape, rows of numbers, or a rank-2 tensor. */
export type MatrixLike = DenseMatrix | readonly (readonly number[])[] | Tensor;

function isTensor(x: unknown): x is Tensor {
  return typeof x === "object" && x !== null && "data" in x && "shape" in x && typeof x.data === "function";
}

function isList(x: unknown): x is ArrayLike<number> {
  return Array.isArray(x) || ArrayBuffer.isView(x);
}

function asFloat64(values: ArrayLike<number>): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

/** The values of `x`, without a copy where it is float64 already. @throws ShapeError unless it has `length` values. */
export function readVector(x: VectorLike, length: number, name: string): Float64Array {
  let values: Float64Array;
  if (isTensor(x)) {
    if (x.shape.length !== 1) {
      throw new ShapeError(`${name} must be a vector, got a tensor of shape [${x.shape}]: reshape it to rank 1`);
    }
    values = asFloat64(x.data());
  } else {
    if (!isList(x)) throw new ShapeError(`${name} is no vector; give an array of numbers or a tensor`);
    values = asFloat64(x);
  }
  if (values.length !== length) {
    throw new ShapeError(`${name} must have length ${length}, got ${values.length}`);
  }
  return values;
}

/** The shape and row-major values of `x`. @throws ShapeError if it is not a matrix. */
export function readMatrix(x: MatrixLike, name: string): DenseMatrix {
  if (isTensor(x)) {
    if (x.shape.length !== 2) throw new ShapeError(`${name} must be a matrix, got a tensor of shape [${x.shape}]`);
    return { shape: [x.shape[0], x.shape[1]], values: asFloat64(x.data()) };
  }
  if (typeof x !== "object" || x === null) {
    throw new ShapeError(`${name} is no matrix; give rows of numbers, a tensor, or values with their shape`);
  }
  if ("values" in x && "shape" in x) {
    if (x.shape.length !== 2 || x.values.length !== x.shape[0] * x.shape[1]) {
      throw new ShapeError(`${name} has ${x.values.length} values for shape [${x.shape}]: they must be rows * columns`);
    }
    return x;
  }
  if (!Array.isArray(x)) throw new ShapeError(`${name} is no matrix; give rows of numbers or a tensor`);
  return fromRows(x, name);
}

function fromRows(rows: readonly (readonly number[])[], name: string): DenseMatrix {
  const columns = rows.length === 0 ? 0 : rows[0].length;
  const values = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    if (!Array.isArray(row) || row.length !== columns) {
      throw new ShapeError(`${name} must be rows of equal length: row ${i} differs from row 0 (${columns} entries)`);
    }
    values.set(row, i * columns);
  });
  return { shape: [rows.length, columns], values };
}

/** A result array: `out` if it fits, a new one if it was not given. */
export function resultArray(out: Float64Array | undefined, length: number, operation: string): Float64Array {
  if (out === undefined) return new Float64Array(length);
  if (out.length !== length) throw new ShapeError(`${operation}: out must have length ${length}, got ${out.length}`);
  return out;
}

/** @throws ValueError unless `n` is a non-negative integer. */
export function checkSize(n: number, name: string): void {
  if (!Number.isInteger(n) || n < 0) throw new ValueError(`${name} must be a non-negative integer, got ${n}`);
}
