import { FormatError, sparse } from "@offprint/tensor-core";

const MATRIX = "DCDM matrix";
const RIGHT = "DCDM right-hand side";
const WORD = 4;
const HEADER = 5 * WORD;

/**
 * Reads a matrix as the authors' program stores it, `matrixA_*.bin`: five 32-bit integers (rows, columns, entries, lists,
 * extent of a list), then entries in float32 or float64, where each row's list begins, and columns; all little-endian.
 * @throws FormatError for files of another size, and for lists and columns that cannot be
 * @see https://github.com/ayano721/2023_DCDM
 */
export function readAuthorsMatrix(bytes: Uint8Array): sparse.CsrMatrix {
  const view = viewOf(MATRIX, bytes, HEADER);
  const [rows, columns, entries, lists] = [0, 1, 2, 3].map((k) => view.getInt32(WORD * k, true));
  if (!(rows > 0 && columns > 0 && entries >= 0 && lists === rows)) {
    throw new FormatError(
      `${MATRIX}: the heading is ${rows} rows, ${columns} columns, ${entries} entries, ${lists} lists; there must be a list for each row`,
      { offset: 0 },
    );
  }
  const width = (bytes.length - HEADER - WORD * (lists + entries)) / Math.max(entries, 1);
  if (entries > 0 ? width !== 4 && width !== 8 : width !== 0) {
    const expected = [4, 8].map((w) => HEADER + entries * (w + WORD) + WORD * lists).join(" or ");
    throw new FormatError(
      `${MATRIX}: the file has ${bytes.length} bytes; ${rows} rows and ${entries} entries take ${expected}; it seems to be cut off`,
      { offset: bytes.length },
    );
  }
  const values = Float64Array.from({ length: entries }, (_, k) => {
    const at = HEADER + width * k;
    const value = width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    if (!Number.isFinite(value)) throw new FormatError(`${MATRIX}: entry ${k} is ${value}`, { offset: at });
    return value;
  });
  const startsAt = HEADER + width * entries;
  const start = (row: number) => (row < rows ? view.getInt32(startsAt + WORD * row, true) : entries);
  const rowOf = new Int32Array(entries);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [start(row), start(row + 1)];
    if (!(from >= 0 && from <= to && to <= entries) || (row === 0 && from !== 0)) {
      throw new FormatError(
        `${MATRIX}: row ${row} runs from entry ${from} to ${to} of ${entries}; rows must follow one another`,
        { offset: startsAt + WORD * row },
      );
    }
    rowOf.fill(row, from, to);
  }
  const columnsAt = startsAt + WORD * rows;
  const columnOf = Int32Array.from({ length: entries }, (_, k) => {
    const at = columnsAt + WORD * k;
    const column = view.getInt32(at, true);
    if (!(column >= 0 && column < columns)) {
      throw new FormatError(`${MATRIX}: entry ${k} lies in column ${column} of ${columns}`, { offset: at });
    }
    return column;
  });
  return sparse.fromTriplets(rows, columns, rowOf, columnOf, values);
}

/**
 * Reads a right-hand side as the authors' program stores it, `div_v_star_*.bin`: a 64-bit count, then as many numbers in
 * float64, little-endian.
 * @throws FormatError for files of another size
 */
export function readAuthorsVector(bytes: Uint8Array): Float64Array {
  const view = viewOf(RIGHT, bytes, 8);
  const count = view.getBigUint64(0, true);
  if (BigInt(bytes.length) !== 8n + 8n * count) {
    throw new FormatError(
      `${RIGHT}: ${count} numbers are announced, and the file has ${bytes.length} bytes; it seems to be cut off`,
      { offset: bytes.length },
    );
  }
  return Float64Array.from({ length: Number(count) }, (_, k) => view.getFloat64(8 + 8 * k, true));
}

function viewOf(format: string, bytes: Uint8Array, least: number): DataView {
  if (!(bytes instanceof Uint8Array) || bytes.length < least) {
    throw new FormatError(`${format}: the file is shorter than its heading of ${least} bytes; it seems to be cut off`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
