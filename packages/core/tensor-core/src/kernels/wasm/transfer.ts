import type { FloatArray, MatrixView } from "../arrays.js";

/** Below this many elements a loop is faster than `set` with a subarray. */
const SHORT = 48;

/** to[toStart + i] = from[fromStart + i] for `count` elements. */
export function copy(from: FloatArray, fromStart: number, to: FloatArray, toStart: number, count: number): void {
  if (count < SHORT) {
    for (let i = 0; i < count; i++) to[toStart + i] = from[fromStart + i]!;
  } else {
    to.set(fromStart === 0 && count === from.length ? from : from.subarray(fromStart, fromStart + count), toStart);
  }
}

/**
 * Copies a matrix into `to` in the order in which it lies in memory, and returns the strides it then has: kernels take
 * strides, so that nothing is transposed on the way.
 */
export function copyMatrix(
  view: MatrixView,
  rows: number,
  columns: number,
  to: FloatArray,
): [row: number, column: number] {
  const { data, offset, rowStride, columnStride } = view;
  if (columnStride === 1 || columns === 1) {
    copyLines(data, offset, rowStride, rows, columns, to);
    return [columns, 1];
  }
  if (rowStride === 1 || rows === 1) {
    copyLines(data, offset, columnStride, columns, rows, to);
    return [1, rows];
  }
  for (let i = 0, next = 0; i < rows; i++) {
    const row = offset + i * rowStride;
    for (let j = 0; j < columns; j++) to[next++] = data[row + j * columnStride]!;
  }
  return [columns, 1];
}

function copyLines(
  data: FloatArray,
  offset: number,
  stride: number,
  lines: number,
  length: number,
  to: FloatArray,
): void {
  if (stride === length || lines === 1) {
    copy(data, offset, to, 0, lines * length);
    return;
  }
  for (let i = 0; i < lines; i++) copy(data, offset + i * stride, to, i * length, length);
}
