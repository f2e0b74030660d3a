import type { TypedArray } from "./dtype.js";

/**
 * A scijs `ndarray`: a view of a typed array with a shape, strides and an offset. Declared here, as the package `ndarray`
 * brings no types; those of `@types/ndarray` fit.
 */
export interface NdArray<D = TypedArray> {
  /** The memory that is looked at. */
  data: D;
  /** Extent along each axis. */
  shape: number[];
  /** Distance in memory of neighbours along each axis. */
  stride: number[];
  /** Where the first element lies in memory. */
  offset: number;
  /** Kind of `data`, as `ndarray` names it: "float32", "float64", ... */
  dtype: string;
  /** Number of elements. */
  size: number;
  /** Number of axes. */
  dimension: number;
  /** The axes from the least stride to the largest. */
  order: number[];
  /** The element at the given indices. */
  get(...index: number[]): number;
  /** Writes the last argument at the indices before it. */
  set(...indexAndValue: number[]): number;
  /** The position in `data` of the element at the given indices. */
  index(...index: number[]): number;
  /** Without the elements before the given indices. */
  lo(...index: number[]): NdArray<D>;
  /** Without the elements from the given indices on. */
  hi(...index: number[]): NdArray<D>;
  /** Every so many elements along each axis. */
  step(...step: number[]): NdArray<D>;
  /** The axes in another order. */
  transpose(...order: number[]): NdArray<D>;
  /** One slice along each axis that is not null, which is dropped. */
  pick(...index: (number | null)[]): NdArray<D>;
}

/** What is read of an `ndarray`. */
export interface NdArrayLike {
  /** The memory that is looked at. */
  readonly data: TypedArray | number[];
  /** Extent along each axis. */
  readonly shape: number[];
  /** Distance in memory of neighbours along each axis. */
  readonly stride: number[];
  /** Where the first element lies in memory. */
  readonly offset: number;
}
