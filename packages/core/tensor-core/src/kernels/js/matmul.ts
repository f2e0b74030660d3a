import { type FloatArray, type MatrixView, transposed } from "../arrays.js";

/** C (+)= A B in plain JavaScript; see `matmul` in ../matmul.ts. */
export function jsMatmul(
  m: number,
  n: number,
  k: number,
  a: MatrixView,
  b: MatrixView,
  c: MatrixView,
  accumulate: boolean,
): void {
  if (!accumulate) {
    for (let i = 0; i < m; i++) {
      const row = c.offset + i * c.rowStride;
      for (let j = 0; j < n; j++) c.data[row + j] = 0;
    }
  }
  if (n === 1) addMatvec(m, k, a, b.data, b.offset, b.rowStride, c.data, c.offset, c.rowStride);
  else if (m === 1) addMatvec(n, k, transposed(b), a.data, a.offset, a.columnStride, c.data, c.offset, 1);
  else {
    const wholeRows = m - (m % 2);
    const wholeColumns = n - (n % 4);
    for (let i = 0; i < wholeRows; i += 2) {
      for (let j = 0; j < wholeColumns; j += 4) addTile(k, a, b, c, i, j);
    }
    for (let i = 0; i < m; i++) {
      for (let j = i < wholeRows ? wholeColumns : 0; j < n; j++) addElement(k, a, b, c, i, j);
    }
  }
}

/** A tile of 2 x 4 sums held in registers. */
function addTile(k: number, a: MatrixView, b: MatrixView, c: MatrixView, i: number, j: number): void {
  const { data: x, rowStride: aRow, columnStride: aColumn } = a;
  const { data: y, rowStride: bRow, columnStride: bColumn } = b;
  let p = a.offset + i * aRow;
  let q = b.offset + j * bColumn;
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let step = 0; step < k; step++) {
    const x0 = x[p]!;
    const x1 = x[p + aRow]!;
    const y0 = y[q]!;
    const y1 = y[q + bColumn]!;
    const y2 = y[q + 2 * bColumn]!;
    const y3 = y[q + 3 * bColumn]!;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    p += aColumn;
    q += bRow;
  }
  const z = c.data;
  let r = c.offset + i * c.rowStride + j;
  z[r]! += s00;
  z[r + 1]! += s01;
  z[r + 2]! += s02;
  z[r + 3]! += s03;
  r += c.rowStride;
  z[r]! += s10;
  z[r + 1]! += s11;
  z[r + 2]! += s12;
  z[r + 3]! += s13;
}

function addElement(k: number, a: MatrixView, b: MatrixView, c: MatrixView, i: number, j: number): void {
  let p = a.offset + i * a.rowStride;
  let q = b.offset + j * b.columnStride;
  let sum = 0;
  for (let step = 0; step < k; step++) {
    sum += a.data[p]! * b.data[q]!;
    p += a.columnStride;
    q += b.rowStride;
  }
  c.data[c.offset + i * c.rowStride + j]! += sum;
}

/** y += A x for A[m, k]: along rows or along columns of A, whichever lie closer in memory. */
function addMatvec(
  m: number,
  k: number,
  a: MatrixView,
  x: FloatArray,
  xOffset: number,
  xStride: number,
  y: FloatArray,
  yOffset: number,
  yStride: number,
): void {
  if (a.columnStride <= a.rowStride) addRows(m, k, a, x, xOffset, xStride, y, yOffset, yStride);
  else addColumns(m, k, a, x, xOffset, xStride, y, yOffset, yStride);
}

function addRows(
  m: number,
  k: number,
  a: MatrixView,
  x: FloatArray,
  xOffset: number,
  xStride: number,
  y: FloatArray,
  yOffset: number,
  yStride: number,
): void {
  const { data, rowStride, columnStride } = a;
  let i = 0;
  for (; i + 3 < m; i += 4) {
    let p = a.offset + i * rowStride;
    let q = xOffset;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let j = 0; j < k; j++) {
      const value = x[q]!;
      s0 += data[p]! * value;
      s1 += data[p + rowStride]! * value;
      s2 += data[p + 2 * rowStride]! * value;
      s3 += data[p + 3 * rowStride]! * value;
      p += columnStride;
      q += xStride;
    }
    const r = yOffset + i * yStride;
    y[r]! += s0;
    y[r + yStride]! += s1;
    y[r + 2 * yStride]! += s2;
    y[r + 3 * yStride]! += s3;
  }
  for (; i < m; i++) {
    let sum = 0;
    const p = a.offset + i * rowStride;
    for (let j = 0; j < k; j++) sum += data[p + j * columnStride]! * x[xOffset + j * xStride]!;
    y[yOffset + i * yStride]! += sum;
  }
}

function addColumns(
  m: number,
  k: number,
  a: MatrixView,
  x: FloatArray,
  xOffset: number,
  xStride: number,
  y: FloatArray,
  yOffset: number,
  yStride: number,
): void {
  const { data, rowStride, columnStride } = a;
  const sums = new Float64Array(m);
  let j = 0;
  for (; j + 3 < k; j += 4) {
    let p = a.offset + j * columnStride;
    const q = xOffset + j * xStride;
    const x0 = x[q]!;
    const x1 = x[q + xStride]!;
    const x2 = x[q + 2 * xStride]!;
    const x3 = x[q + 3 * xStride]!;
    for (let i = 0; i < m; i++) {
      const left = data[p]! * x0 + data[p + columnStride]! * x1;
      sums[i]! += left + (data[p + 2 * columnStride]! * x2 + data[p + 3 * columnStride]! * x3);
      p += rowStride;
    }
  }
  for (; j < k; j++) {
    const value = x[xOffset + j * xStride]!;
    const p = a.offset + j * columnStride;
    for (let i = 0; i < m; i++) sums[i]! += data[p + i * rowStride]! * value;
  }
  for (let i = 0; i < m; i++) y[yOffset + i * yStride]! += sums[i]!;
}
