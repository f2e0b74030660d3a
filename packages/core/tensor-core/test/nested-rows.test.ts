import { expect, it } from "vitest";
import { asTensor, tensor } from "../src/index.js";

it("rows of typed arrays make a tensor of their dtype", () => {
  const rows = [Float64Array.of(1, 0.1), Float64Array.of(2, 0.2)];
  const x = asTensor(rows);
  expect([x.dtype, x.shape]).toEqual(["float64", [2, 2]]);
  expect(x.toArray()).toEqual([
    [1, 0.1],
    [2, 0.2],
  ]);
  const deep = tensor([[Int32Array.of(1, 2, 3)], [Int32Array.of(4, 5, 6)]]);
  expect([deep.dtype, deep.shape]).toEqual(["int32", [2, 1, 3]]);
  expect(tensor(rows, { dtype: "float32" }).dtype).toBe("float32");
});

it("rows that do not fit together are refused", () => {
  expect(() => tensor([Float32Array.of(1, 2), Float32Array.of(1)])).toThrow(/row 1 has 1 entries, not 2/);
  expect(() => tensor([Float32Array.of(1), Float64Array.of(1)])).toThrow(/row 1 of nested arrays is no Float32Array/);
  expect(() => tensor([Float32Array.of(1), [1]] as never)).toThrow(/row 1 of nested arrays is no Float32Array/);
  expect(() => tensor([[Float32Array.of(1)], []])).toThrow(/hold 1 rows, not 2/);
});
