import {
  add,
  at,
  IndexError,
  jit,
  oneHot,
  scan,
  scatterAdd,
  scatterSet,
  segmentMax,
  segmentMean,
  segmentMin,
  segmentSoftmax,
  segmentSum,
  type Tensor,
  take,
  takeAlongAxis,
  tensor,
  trace,
  where,
} from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OnnxRuntime, onnxRuntime } from "../src/index.js";
import { lowerGraph } from "../src/lowering/index.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const x = tensor([1, 2, 3]);
const indices = (...values: number[]) => tensor(values, { dtype: "int32" });
const operators = (f: (...args: Tensor[]) => unknown) =>
  lowerGraph(trace(f, x, indices(0, 1, 2)), { device: "cpu" }).nodes.map(({ operator }) => operator);

const indexed: [string, (x: Tensor, i: Tensor) => Tensor][] = [
  ["take", (v, i) => take(v, i)],
  ["takeAlongAxis", (v, i) => takeAlongAxis(v, i)],
  ["scatterAdd", (v, i) => scatterAdd(v, i, v)],
  ["scatterSet", (v, i) => scatterSet(v, i, v)],
];

describe.each(indexed)("%s", (_, f) => {
  it("counts negative indices from the end, as on the host, without operations for that", async () => {
    const compiled = jit(f, { backend });
    for (const i of [indices(-1, 0, 1), indices(-3, 2, 1)]) {
      expect((await compiled(x, i)).toArray()).toEqual(f(x, i).toArray());
    }
    expect(operators(f).filter((name) => name === "Add")).toEqual([]);
  });

  it.each([[-4], [3]])("refuses the index %i of three", async (wrong) => {
    await expect(jit(f, { backend })(x, indices(wrong, 0, 1))).rejects.toThrow("an index is outside its axis");
  });
});

it("in loops too", async () => {
  const f = (v: Tensor, is: Tensor) =>
    scan((sum: Tensor, i: Tensor): [Tensor, Tensor] => [add(sum, take(v, i)), sum], tensor(0), is)[0];
  expect((await jit(f, { backend })(x, indices(-1, 0, -3))).item()).toBe(5);
  await expect(jit(f, { backend })(x, indices(-1, -4, 0))).rejects.toThrow("an index is outside its axis");
});

it("what looks like it but is more stays", async () => {
  const twice = (v: Tensor, i: Tensor) => {
    const wrapped = where(i.less(0), i.add(3), i);
    return [take(v, wrapped), wrapped];
  };
  const other = (v: Tensor, i: Tensor) => take(v, where(i.less(0), i.add(2), i));
  const i = indices(-1, 0, -2);
  for (const f of [twice, other]) {
    const [eager, compiled] = [f(x, i), await jit(f as (...args: Tensor[]) => Tensor[], { backend })(x, i)];
    expect([compiled].flat().map((y) => y.toArray())).toEqual([eager].flat().map((y) => y.toArray()));
  }
});

const counted: [string, (x: Tensor, i: Tensor) => Tensor][] = [
  ["segmentSum", (v, i) => segmentSum(v, i, 3)],
  ["segmentMean", (v, i) => segmentMean(v, i, 3)],
  ["segmentMax", (v, i) => segmentMax(v, i, 3)],
  ["segmentMin", (v, i) => segmentMin(v, i, 3)],
  ["segmentSoftmax", (v, i) => segmentSoftmax(v, i, 3)],
  ["oneHot", (_, i) => oneHot(i, 3)],
];

describe.each(counted)("%s, which counts from 0", (_, f) => {
  it.each([[-1], [-3], [-4], [3]])("refuses %i of three: eager, compiled, by ONNX Runtime", async (wrong) => {
    const i = indices(2, wrong, 1);
    expect(() => f(x, i)).toThrow(IndexError);
    await expect(jit(f)(x, i)).rejects.toThrow(IndexError);
    await expect(jit(f, { backend })(x, i)).rejects.toThrow(IndexError);
    const right = indices(2, 0, 2);
    for (const compiled of [jit(f), jit(f, { backend })]) expectClose(await compiled(x, right), f(x, right), 1e-6);
  });
});

it("indices that are computed are refused below -n, too", async () => {
  const rows = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const along = (i: Tensor) => takeAlongAxis(rows, i.reshape([3, 1]), 0);
  const cell = (i: Tensor) => at(rows, [i, i.mul(0)]);
  for (const f of [along, cell]) {
    expect((await jit(f, { backend })(indices(-1, -3, 0))).toArray()).toEqual(f(indices(-1, -3, 0)).toArray());
    await expect(jit(f, { backend })(indices(0, -4, 0))).rejects.toThrow("an index is outside its axis");
  }
});

it.each([
  [0, 2],
  [0, -3],
  [-4, 1],
  [3, -2],
])("at refuses (%i, %i), of which one is out of range: eager, compiled, by ONNX Runtime", async (row, column) => {
  const table = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const f = (i: Tensor, j: Tensor) => at(table, [i, j]);
  const wrong = [indices(1, row), indices(0, column)];
  expect(() => f(wrong[0], wrong[1])).toThrow(IndexError);
  for (const compiled of [jit(f), jit(f, { backend })]) {
    await expect(compiled(wrong[0], wrong[1])).rejects.toThrow(IndexError);
    const right = [indices(-3, 2), indices(1, -2)] as const;
    expect((await compiled(...right)).toArray()).toEqual([2, 5]);
  }
});
