import { jit, mod, type Tensor, tensor } from "@offprint/tensor-core";
import { afterAll, describe, expect, it } from "vitest";
import { onnxRuntime } from "../src/index.js";

const backend = await onnxRuntime({ device: "cpu", threads: 1 });
afterAll(() => backend.release());

const whole = (values: number[]) => tensor(values, { dtype: "int32" });

describe("integers", () => {
  it("modulo 0 are 0, as eager", async () => {
    const [a, b] = [whole([7, -7, 0, 7, -7, 7]), whole([0, 0, 0, -4, 4, 3])];
    const [byTensor, byZero] = [jit(mod, { backend }), jit((x: Tensor) => mod(x, 0), { backend })];
    expect([...(await byTensor(a, b)).data()]).toEqual([...mod(a, b).data()]);
    expect([...(await byZero(a)).data()]).toEqual([0, 0, 0, 0, 0, 0]);
    await byTensor.release();
    await byZero.release();
  });
});
