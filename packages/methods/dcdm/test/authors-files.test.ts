import { fuzzReader } from "@offprint/fuzz";
import { sparse } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { macGrid, poissonMatrix, readAuthorsMatrix, readAuthorsVector } from "../src/index.js";

/** A matrix as the program that made the authors' files writes it. */
function matrixFile({ rows, columns, indptr, indices, values }: sparse.CsrMatrix, width: 4 | 8): Uint8Array {
  const out = new DataView(new ArrayBuffer(20 + values.length * (width + 4) + 4 * rows));
  [rows, columns, values.length, rows, columns].forEach((value, k) => out.setInt32(4 * k, value, true));
  let at = 20;
  for (const value of values) {
    if (width === 4) out.setFloat32(at, value, true);
    else out.setFloat64(at, value, true);
    at += width;
  }
  for (const value of [...indptr.slice(0, rows), ...indices]) {
    out.setInt32(at, value, true);
    at += 4;
  }
  return new Uint8Array(out.buffer);
}

function vectorFile(values: readonly number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(8 + 8 * values.length));
  out.setBigUint64(0, BigInt(values.length), true);
  values.forEach((value, k) => out.setFloat64(8 + 8 * k, value, true));
  return new Uint8Array(out.buffer);
}

const a = sparse.toCsr(poissonMatrix(macGrid([4, 4], ([i, j]) => i === 1 && j === 2)));
const format = (message: RegExp) =>
  expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message) });
/** The file with a 32-bit integer as another. */
function changed(file: Uint8Array, word: number, value: number): Uint8Array {
  const copy = file.slice();
  new DataView(copy.buffer).setInt32(4 * word, value, true);
  return copy;
}

describe("the authors' files", () => {
  it("give back the matrix, in either width, rows of zeros too", () => {
    for (const width of [4, 8] as const) {
      const read = readAuthorsMatrix(matrixFile(a, width));
      expect(read.shape).toEqual([16, 16]);
      expect(sparse.toDense(read)).toEqual(sparse.toDense(a));
    }
    const none = sparse.fromTriplets(2, 2, [], [], []);
    expect(readAuthorsMatrix(matrixFile(sparse.toCsr(none), 4)).values).toHaveLength(0);
  });

  it("give back the right-hand side, wherever in a buffer the file lies", () => {
    const file = vectorFile([1.5, -2, 1e-300]);
    expect([...readAuthorsVector(file)]).toEqual([1.5, -2, 1e-300]);
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect([...readAuthorsVector(shifted.subarray(3))]).toEqual([1.5, -2, 1e-300]);
  });

  it("say what is wrong with them", () => {
    const file = matrixFile(a, 4);
    const entries = a.values.length;
    expect(() => readAuthorsMatrix(file.slice(0, -1))).toThrow(format(/seems to be cut off/));
    expect(() => readAuthorsMatrix(file.slice(0, 12))).toThrow(format(/shorter than its heading/));
    expect(() => readAuthorsMatrix(changed(file, 3, 15))).toThrow(format(/a list for each row/));
    expect(() => readAuthorsMatrix(changed(file, 2, 2 ** 30))).toThrow(format(/the file has \d+ bytes/));
    expect(() => readAuthorsMatrix(changed(file, 5 + entries + 3, 1))).toThrow(format(/rows must follow one another/));
    expect(() => readAuthorsMatrix(changed(file, 5 + entries, 1))).toThrow(format(/row 0 runs from entry 1/));
    expect(() => readAuthorsMatrix(changed(file, 5 + entries + 16, 16))).toThrow(format(/lies in column 16 of 16/));
    expect(() => readAuthorsMatrix(changed(file, 5, 0x7fc00000))).toThrow(format(/entry 0 is NaN/));
    expect(() => readAuthorsVector(vectorFile([1, 2]).slice(0, 20))).toThrow(format(/2 numbers are announced/));
    expect(() => readAuthorsVector(new Uint8Array(4))).toThrow(format(/shorter than its heading/));
  });

  it("that are damaged give typed errors and no huge allocation", () => {
    fuzzReader({ name: "matrix", read: readAuthorsMatrix, file: matrixFile(a, 4) });
    fuzzReader({ name: "right-hand side", read: readAuthorsVector, file: vectorFile([1, 2, 3]) });
  });
});
