import {
  cumSum,
  grad,
  IndexError,
  jit,
  mean,
  mul,
  oneHot,
  prod,
  sum,
  type Tensor,
  tensor,
  variance,
} from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OnnxRuntime, onnxRuntime } from "../src/index.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const compiled = (f: (x: Tensor) => Tensor, x: Tensor): Promise<Tensor> => jit(f, { backend })(x);
const tenths = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(new Float32Array(size).fill(0.1), { shape });
};

/** Largest difference relative to the values that are summed in float64. */
async function lost(f: (x: Tensor) => Tensor, x: Tensor): Promise<number> {
  const [got, exact] = [(await compiled(f, x)).data(), f(x.cast("float64")).data()];
  return Math.max(...exact.map((v, k) => Math.abs(got[k] - v) / Math.abs(v)));
}

describe("long sums in float32 keep the digits that eager sums keep", () => {
  it.each<[string, (x: Tensor) => Tensor, Tensor]>([
    ["the mean of a million", (x) => mean(x), tenths(1_000_000)],
    ["a sum of a prime number of elements", (x) => sum(x), tenths(100_003)],
    ["sums of columns", (x) => sum(x, { axis: 0 }), tenths(50_000, 3)],
    ["sums of rows", (x) => sum(x, { axis: 1 }), tenths(3, 50_000)],
    ["sums over axes that do not lie side by side", (x) => sum(x, { axis: [0, 2, 3] }), tenths(200, 2, 20, 20)],
    ["sums over axes of which one is long", (x) => sum(x, { axis: [0, 2] }), tenths(5000, 2, 3)],
    ["sums with their axes kept", (x) => mul(sum(x, { axis: 1, keepDims: true }), x), tenths(2, 4000)],
    ["running sums", (x) => cumSum(x, 1), tenths(2, 50_000)],
    [
      "a gradient that is such a sum",
      (x) => grad((y: Tensor) => sum(mul(y, tenths(30_000, 2))))(x) as Tensor,
      tenths(2),
    ],
  ])("%s", async (_, f, x) => {
    expect(await lost(f, x)).toBeLessThan(3e-7);
  });

  it("the variance of numbers that are large beside it", async () => {
    const x = tensor(Float32Array.from({ length: 100_000 }, (_, k) => 1e6 + (k % 2)));
    expect((await compiled((v) => variance(v), x)).item()).toBeCloseTo(0.25, 6);
  });
});

describe("int32", () => {
  const large = tensor(Int32Array.of(2_000_000_000, 2_000_000_000, 7, -3));
  it("sums and products are modulo 2^32, as eager sums and elementwise products are", async () => {
    const modulo = (value: bigint) => Number(BigInt.asIntN(32, value));
    const values = Array.from(large.data(), BigInt);
    expect((await compiled((x) => sum(x), large)).item()).toBe(modulo(values.reduce((a, b) => a + b)));
    expect((await compiled((x) => prod(x), large)).item()).toBe(modulo(values.reduce((a, b) => a * b)));
    const matrix = large.reshape([2, 2]);
    expect((await compiled((x) => prod(x, { axis: 0 }), matrix)).toArray()).toEqual([
      modulo(values[0] * values[2]),
      modulo(values[1] * values[3]),
    ]);
    expect((await compiled((x) => cumSum(x), large)).toArray()).toEqual(cumSum(large).toArray());
  });
  it("an index outside the new axis of oneHot is an error, compiled too", async () => {
    const f = jit((x: Tensor) => oneHot(x, 3), { backend });
    expect((await f(tensor(Int32Array.of(0, 2)))).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    await expect(f(tensor(Int32Array.of(0, 5)))).rejects.toThrow(IndexError);
  });
});
