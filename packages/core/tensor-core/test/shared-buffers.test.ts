import { add, type DType, mul, type Tensor, tensor, zeros } from "@offprint/tensor-core";
import { expect, it } from "vitest";

function counted(n: number, dtype: DType): Tensor {
  return tensor(
    Array.from({ length: n }, (_, k) => k),
    { dtype },
  );
}

function sizesOfBuffers(tensors: readonly Tensor[]): Set<number> {
  return new Set(tensors.map((x) => x.data().buffer.byteLength));
}

it("small results share buffers, and none holds a value of another", () => {
  const results: Tensor[] = [];
  for (let i = 0; i < 500; i++) {
    const dtype: DType = (["float32", "float64", "int32"] as const)[i % 3];
    results.push(add(counted(17 + (i % 90), dtype), tensor(i, { dtype })));
    expect([...zeros([20 + i], dtype).data()]).toEqual(new Array(20 + i).fill(0));
  }
  expect([...sizesOfBuffers(results)].filter((bytes) => bytes > 64)).toEqual([8192]);
  expect(new Set(results.map((x) => x.data().buffer)).size).toBeLessThan(100);
  results.forEach((x, i) => {
    expect([...x.data()]).toEqual(Array.from({ length: 17 + (i % 90) }, (_, k) => k + i));
  });
});

it("tiny and large results have buffers of their own", () => {
  const own = [1, 8, 257, 5000].map((n) => mul(counted(n, "float64"), 2));
  expect(own.map((x) => x.data().buffer.byteLength)).toEqual([8, 64, 2056, 40000]);
});
