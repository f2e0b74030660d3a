import { linear, mlp } from "@offprint/nn";
import { random, square, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { anil, maml } from "../src/index.js";

const float64 = { dtype: "float64" } as const;
const rng = random.rng(1);
// Lines of slopes of their own, through a common bend.
const tasks = [1, 2, 3].map((slope) => {
  const part = () => {
    const inputs = rng.normal([30, 1], float64);
    return {
      inputs,
      targets: tensor(
        Float64Array.from(inputs.data(), (v) => slope * Math.tanh(2 * v)),
        float64,
      ),
    };
  };
  return { support: part(), query: part() };
});
const options = {
  ...{ body: mlp({ sizes: [1, 8, 4], activation: "tanh" }), head: linear({ inputs: 4, outputs: 1 }) },
  ...{ learningRate: 0.1, innerStepSize: 0.2, steps: 150, batchSize: 10 },
  loss: (outputs: Tensor, targets: Tensor) => square(sub(outputs.reshape([targets.shape[0]]), targets)),
};

describe("maml and anil", () => {
  for (const [name, learn] of [
    ["maml", maml],
    ["anil", anil],
  ] as const) {
    it(`${name} comes to parameters from which one step fits a task`, async () => {
      const { history, status } = await learn(tasks, options);
      expect(status).toBe("limit");
      const mean = (from: number, to: number) => history.slice(from, to).reduce((s, r) => s + r.loss, 0) / (to - from);
      expect(mean(140, 150)).toBeLessThan(0.5 * mean(0, 10));
    });
  }

  it("differ in what a task adapts, and agree where the body has nothing to adapt", async () => {
    const few = { ...options, steps: 5 };
    const [a, b] = [await maml(tasks, few), await anil(tasks, few)];
    expect(a.history[4].loss).not.toBe(b.history[4].loss);
    const fixed = { init: () => ({ none: tensor([0], float64) }), apply: (_: unknown, x: Tensor) => x };
    const still = { ...few, body: fixed, head: linear({ inputs: 1, outputs: 1 }) };
    const [c, d] = [await maml(tasks, still), await anil(tasks, still)];
    expectClose(c.params.head, d.params.head, 1e-12);
  });

  it("say what is wrong", async () => {
    await expect(maml([], options)).rejects.toThrow(/no tasks/);
    await expect(anil(tasks, { ...options, innerSteps: 0 })).rejects.toThrow(/innerSteps is 0/);
  });
});
