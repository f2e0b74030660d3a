import { add, div, jit, mean, mul, random, sqrt, square, sub, sum, type Tensor, trace } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OnnxRuntime, onnxRuntime } from "../src/index.js";
import { lowerGraph } from "../src/lowering/index.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const x = random.rng(0).normal([6, 4, 10]);

function operators(f: (x: Tensor) => unknown): string[] {
  return lowerGraph(trace(f, x), { device: "cpu" }).nodes.map((node) => node.operator);
}

describe("sums that are divided by the number of their terms", () => {
  it.each([{ axis: 2 }, { axis: 2, keepDims: true }, { axis: [0, 2] }, { axis: [1, 2], keepDims: true }, {}])(
    "are means: %o",
    async (options) => {
      const f = (v: Tensor) => mean(v, options);
      expect(operators(f)).toContain("ReduceMean");
      expect(operators(f)).not.toContain("ReduceSum");
      const [eager, compiled] = [f(x), await jit(f, { backend })(x)];
      expect(compiled.shape).toEqual(eager.shape);
      const values = compiled.data();
      eager.data().forEach((value, i) => {
        expect(values[i]).toBeCloseTo(value, 6);
      });
    },
  );

  it("are not where they are used otherwise too, or divided by another number", async () => {
    const both = (v: Tensor) => {
      const total = sum(v, { axis: 2 });
      return [div(total, 10), mul(total, 2)];
    };
    const sample = (v: Tensor) => div(sum(square(v), { axis: 2 }), 9);
    for (const f of [both, sample]) {
      expect(operators(f)).toContain("ReduceSum");
      expect(operators(f)).not.toContain("ReduceMean");
      const [eager, compiled] = [f(x), await jit(f, { backend })(x)].map((r) => [r].flat());
      eager.forEach((t, k) => {
        const values = compiled[k].data();
        t.data().forEach((value, i) => {
          expect(values[i]).toBeCloseTo(value, 5);
        });
      });
    }
  });
});

it("a layer norm is what the engine makes one operation of, and keeps its digits far from 0", async () => {
  const scale = random.rng(1).normal([10]);
  const f = (v: Tensor) => {
    const centred = sub(v, mean(v, { axis: -1, keepDims: true }));
    const spread = sqrt(add(mean(square(centred), { axis: -1, keepDims: true }), 1e-5));
    return add(mul(div(centred, spread), scale), scale);
  };
  expect(operators(f)).toEqual(["ReduceMean", "Sub", "Pow", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "Add"]);
  const far = x.add(1000);
  const error = sub(await jit(f, { backend })(far), f(far.cast("float64"))).abs();
  expect(error.max().item()).toBeLessThan(2e-3);
});
