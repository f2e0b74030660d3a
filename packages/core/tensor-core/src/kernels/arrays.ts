/** Storage of the floating-point kernels. All arrays of one call have the same type. */
export type FloatArray = Float32Array | Float64Array;

/** A matrix inside a typed array: element [i, j] is `data[offset + i * rowStride + j * columnStride]`. */
export interface MatrixView<A extends FloatArray = FloatArray> {
  readonly data: A;
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** A contiguous row-major matrix with `columns` columns, from `offset` on. */
export function rowMajor<A extends FloatArray>(data: A, columns: number, offset = 0): MatrixView<A> {
  return { data, offset, rowStride: columns, columnStride: 1 };
}

/** The same elements with rows and columns exchanged. */
export function transposed<A extends FloatArray>(view: MatrixView<A>): MatrixView<A> {
  return { data: view.data, offset: view.offset, rowStride: view.columnStride, columnStride: view.rowStride };
}

/** A zero-filled array of the type of `model`. */
export function zerosLike<A extends FloatArray>(model: A, size: number): A {
  return (model instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)) as A;
}

/** `values` rounded to the element type of `model`; not copied where that is float64. */
export function roundLike<A extends FloatArray>(model: A, values: Float64Array): A {
  return (model instanceof Float32Array ? new Float32Array(values) : values) as A;
}

/** Whether any element is NaN or infinite. */
export function hasNonFinite(values: FloatArray): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return true;
  return false;
}
