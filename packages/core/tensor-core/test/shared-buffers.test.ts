import {
  add,
  broadcastTo,
  type DType,
  jitSync,
  mul,
  type Tensor,
  take,
  tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import { expect, it } from "vitest";

const dtypes = ["float32", "float64", "int32"] as const;

function counted(n: number, dtype: DType): Tensor {
  return tensor(
    Array.from({ length: n }, (_, k) => k),
    { dtype },
  );
}

it("no small result holds a value of another", () => {
  const results: Tensor[] = [];
  for (let i = 0; i < 500; i++) {
    const dtype = dtypes[i % 3];
    results.push(add(counted(17 + (i % 90), dtype), tensor(i, { dtype })));
    expect(zeros([20 + i], dtype).toArray()).toEqual(new Array(20 + i).fill(0));
  }
  results.forEach((x, i) => {
    expect(x.toArray()).toEqual(Array.from({ length: 17 + (i % 90) }, (_, k) => k + i));
  });
});

it("the buffer of what data() and ndarray() give holds the tensor's values alone, and may be handed on", () => {
  for (const n of [1, 8, 9, 17, 100, 256, 257, 5000]) {
    const x = mul(counted(n, "float64"), 2);
    const neighbour = mul(counted(n, "float64"), 3);
    expect([...new Float64Array(x.data().buffer)]).toEqual(Array.from({ length: n }, (_, k) => 2 * k));
    expect(x.data()).toBe(x.data());
    const view = (neighbour.ndarray() as unknown as { data: Float64Array }).data;
    structuredClone(view, { transfer: [view.buffer as ArrayBuffer] });
    expect(x.toArray()).toEqual(Array.from({ length: n }, (_, k) => 2 * k));
  }
});

it("so does that of a transposed or taken part, whose values stay", () => {
  const x = add(counted(60, "float32").reshape([6, 10]), 1);
  const turned = transpose(x);
  const row = take(x, 2, 0);
  expect(new Float32Array(turned.data().buffer).slice(0, 3)).toEqual(Float32Array.of(1, 11, 21));
  expect(turned.data().buffer.byteLength).toBe(240);
  expect([...new Float32Array(row.data().buffer)]).toEqual([...row.data()]);
  expect(turned.toArray()).toEqual(add(transpose(counted(60, "float32").reshape([6, 10])), 1).toArray());
});

it("a number that is repeated stays one, also where it was read", () => {
  const repeated = broadcastTo(tensor(7), [6, 4]);
  expect(repeated.data()).toHaveLength(24);
  expect((repeated.ndarray() as unknown as { data: Float32Array }).data).toEqual(Float32Array.of(7));
});

it("a column that is handed on takes nothing with it", () => {
  const part = add(counted(30, "float64"), 1).reshape([5, 6]);
  const column = (take(transpose(part), [0], 0).ndarray() as unknown as { data: Float64Array }).data;
  structuredClone(column, { transfer: [column.buffer as ArrayBuffer] });
  expect(add(counted(30, "float64"), 1).toArray()).toEqual(Array.from({ length: 30 }, (_, k) => k + 1));
});

it("results that are views of a function's memory go on following it", () => {
  const twice = jitSync((x: Tensor) => mul(x, 2), { views: true });
  const first = twice(counted(20, "float64"));
  expect(first.data()[1]).toBe(2);
  twice(mul(counted(20, "float64"), 3));
  expect(first.data()[1]).toBe(6);
});
