import { nngp } from "@offprint/gaussian-process";
import { runConformance } from "@offprint/solvers/conformance";
import { random, softmax } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fitEnsemble } from "../src/index.js";

const network = { kind: "fullyConnected", depth: 2, activation: "erf" } as const;
const rng = random.rng(1);
const x = rng.normal([60, 2], { dtype: "float64" });
const labels = (x.toArray() as number[][]).map(([a, b]) => (a > 0 ? 1 : 0) + (b > 0.3 ? 1 : 0));
const small = { members: 3, width: 16, steps: 4, batchSize: 10 };

runConformance(
  "fitEnsemble",
  {
    run: (options) => fitEnsemble(network, x, labels, { ...small, ...options } as never),
    limit: "steps",
    short: 5,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [{ members: 0 }, { width: 0 }, { batchSize: 61 }, { prior: { kind: "inverseGamma", shape: 0, rate: 1 } }],
    nonFinite: [() => fitEnsemble(network, x.mul(Number.NaN), labels)],
    outcome: ({ history, status, steps }: any) => ({ history, status, steps }),
  },
  { describe, it, expect },
);

describe("an ensemble of networks", () => {
  it("learns three classes; its probabilities are the mean of its members'", async () => {
    const { model, history } = await fitEnsemble(network, x, labels, { members: 4, width: 32, steps: 150 });
    const probabilities = model.probabilities(x);
    expectClose(probabilities, softmax(model.latents(x), -1).mean(0), 1e-12);
    expectClose(probabilities.sum(1), new Float64Array(60).fill(1), 1e-12);
    const chosen = Array.from(probabilities.argMax(1).data());
    expect(chosen.filter((c, i) => c === labels[i]).length).toBeGreaterThan(54);
    expect(history[149].loss).toBeLessThan(0.3 * history[0].loss);
    expect([model.classes, new Set(model.scales.data()).size]).toEqual([3, 4]);
  });

  it("begins as the Gaussian process whose scale each member has drawn", async () => {
    for (const architecture of [network, { kind: "residual", blocks: 1, activation: "relu" } as const]) {
      const prior = { kind: "point", value: 3 } as const;
      const { model } = await fitEnsemble(architecture, x, labels, { prior, members: 400, width: 64, steps: 0 });
      const points = x.slice([{ start: 0, stop: 4 }]);
      // [members * classes, points] of independent draws.
      const draws = model.latents(points).transpose([0, 2, 1]).reshape([-1, 4]);
      const covariance = draws.transpose().matmul(draws).div(draws.shape[0]);
      const K = nngp({ ...architecture, readoutVariance: 1 })
        .matrix(points)
        .mul(3);
      expectClose(covariance, K, { ofLargest: 0.12 });
    }
  });

  it("refuses what does not fit, by name", async () => {
    const image = { kind: "convolutional", depth: 1, image: [1, 1, 2] } as never;
    await expect(fitEnsemble(image, x, labels)).rejects.toThrow(errorLike("UnsupportedError", /convolutional/));
    await expect(fitEnsemble(network, x, [0, 1])).rejects.toThrow(errorLike("ShapeError", /labels/));
    const { model } = await fitEnsemble(network, x, labels, { ...small, steps: 0 });
    expect(() => model.probabilities([[1]])).toThrow(errorLike("ShapeError", /\[points, 2\]/));
  });
});
