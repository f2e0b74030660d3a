import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { matmul, random, relu, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { fzoos } from "../src/index.js";

describe("black boxes in .onnx files", () => {
  it("are minimised from their outputs alone", async () => {
    const rng = random.rng(1);
    const weights = [0, 1].map(() => [rng.normal([3, 8], { std: 0.4 }), rng.normal([8, 1])] as const);
    const networks = weights.map(
      ([w1, w2]) =>
        (x: Tensor) =>
          matmul(relu(matmul(x, w1)), w2),
    );
    const models = await Promise.all(
      networks.map((network) => loadModel(toOnnx(network, { shape: [1, 3], dtype: "float32" }))),
    );
    const clients = models.map((model) => async (x: Float64Array) => {
      const { output0 } = await model.run({ input0: [Array.from(x)] });
      return output0.data()[0] ** 2;
    });
    const few = {
      features: 32,
      localSteps: 3,
      initialQueries: 5,
      maxIterations: 3,
      active: { local: { count: 1, candidates: 5 }, server: { count: 2, candidates: 5 } },
    };
    const start = [0.9, 0.8, 0.9];
    const meanAt = async (x: Float64Array) => {
      const [a, b] = await Promise.all(clients.map((client) => client(x)));
      return (a + b) / 2;
    };
    const { x, objective, history } = await fzoos({ clients, initial: start, bounds: [-1, 1] }, few);
    expect(history).toHaveLength(3);
    expect(objective).toBeCloseTo(await meanAt(x.data() as Float64Array), 12);
    expect(objective).toBeLessThan(await meanAt(Float64Array.from(start)));
    for (const model of models) await model.release();
  });
});
