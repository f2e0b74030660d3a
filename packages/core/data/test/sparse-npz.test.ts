import { sparse, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { isSparseNpz, readSparseNpz, writeNpz } from "../src/index.js";

interface Fixture {
  readonly dense: number[][];
  readonly files: Record<string, string>;
}
const { dense, files } = readFixture(import.meta.url, "sparse.json") as Fixture;
const bytes = (name: string) => new Uint8Array(Buffer.from(files[name], "base64"));

describe("sparse npz", () => {
  for (const format of ["csr", "csc", "coo"]) {
    it(`reads what SciPy saved as ${format}`, () => {
      expect(isSparseNpz(bytes(format))).toBe(true);
      expect(Array.from(sparse.toDense(readSparseNpz(bytes(format))))).toEqual(dense.flat());
    });
  }

  it("says what it does not read", () => {
    expect(() => readSparseNpz(bytes("dia"))).toThrow(/saved as dia; save it as csr, csc or coo/);
    const plain = writeNpz({ x: tensor([1, 2]) });
    expect(isSparseNpz(plain)).toBe(false);
    expect(() => readSparseNpz(plain)).toThrow(/no array format; the archive holds x/);
    expect(() => readSparseNpz(new Uint8Array(4))).toThrow(/npz/);
  });
});
