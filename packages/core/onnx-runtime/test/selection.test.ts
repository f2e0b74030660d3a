import {
  add,
  atan2,
  grad,
  greater,
  isTensor,
  jit,
  matmul,
  mul,
  random,
  relu,
  sum,
  type Tensor,
  tensor,
  trace,
  transpose,
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

type Pair = (x: Tensor, y: Tensor) => unknown;
const rng = random.rng(3);
const [x, y] = [rng.normal([64, 80]), rng.normal([64, 80])];

function operators(f: Pair, options: { portable?: boolean } = {}, inputs = [x, y]): string[] {
  return lowerGraph(trace(f, ...inputs), { device: "cpu", ...options }).nodes.map(({ operator }) => operator);
}

const masked = (u: Tensor, v: Tensor): Tensor => where(greater(v, 0), u, 0);
const left = (u: Tensor, v: Tensor): Tensor => where(greater(v, 0), 0, u);

async function agree(f: Pair, inputs: readonly [Tensor, Tensor]): Promise<void> {
  const eager = f(...inputs) as Tensor;
  const compiled = (await jit(f, { backend })(...inputs)) as Tensor;
  expect(isTensor(compiled) && compiled.shape).toEqual(eager.shape);
  const values = compiled.data();
  eager.data().forEach((value, i) => {
    if (Number.isFinite(value)) expect(values[i]).toBeCloseTo(value, 4);
    else expect(values[i]).toBe(value);
  });
}

describe("the choice between many numbers and 0", () => {
  const total: Pair = (u, v) => sum(masked(u, v), { axis: 0 });
  const rest: Pair = (u, v) => matmul(transpose(left(u, v)), v);
  const gradient: Pair = (u, v) => grad((w: Tensor) => sum(mul(relu(matmul(u, w)), 0.1)))(transpose(v));

  it.each([
    ["what the condition takes", total],
    ["what it leaves", rest],
    ["the gradient of relu", gradient],
  ])("is a product where numbers are finite: %s", async (_, f) => {
    const many = f === gradient ? [rng.normal([80, 64]), rng.normal([80, 64])] : [x, y];
    expect(operators(f, {}, many)).toContain("If");
    expect(operators(f, {}, many)).not.toContain("Where");
    await agree(f, many as [Tensor, Tensor]);
  });

  it("has no infinity and no NaN in the place of 0", async () => {
    for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
      const wild = tensor(x.data().map((w, i) => (i % 7 === 0 ? value : w)) as Float32Array, { shape: x.shape });
      const where0 = tensor(y.data().map((w, i) => (i % 7 === 0 ? -1 : w)) as Float32Array, { shape: y.shape });
      await agree(total, [wild, where0]);
      await agree(rest, [
        wild,
        tensor(where0.data().map((w, i) => (i % 7 === 0 ? 1 : w)) as Float32Array, { shape: y.shape }),
      ]);
      await agree(total, [wild, y]);
    }
  });

  it("keeps the sign of 0 where something could tell it", async () => {
    const angle: Pair = (u, v) => atan2(masked(u, v), -1);
    const later: Pair = (u, v) => atan2(add(mul(masked(u, v), 2), mul(u, 0)), -1);
    for (const f of [angle, later, masked]) {
      expect(operators(f)).not.toContain("If");
      await agree(f, [x, y]);
    }
  });

  it("stays one operation for few numbers, other numbers than 0, and in files", () => {
    expect(operators(total, { portable: true })).not.toContain("If");
    expect(operators(total, {}, [rng.normal([8, 8]), rng.normal([8, 8])])).not.toContain("If");
    expect(operators((u, v) => sum(where(greater(v, 0), u, 1)))).not.toContain("If");
    expect(operators((u, v) => sum(where(greater(v, 0), u, -0)))).not.toContain("If");
  });
});
