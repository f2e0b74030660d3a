import {
  add,
  jit,
  scan,
  scatterAdd,
  scatterSet,
  type Tensor,
  take,
  takeAlongAxis,
  tensor,
  trace,
  where,
} from "@offprint/tensor-core";
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
