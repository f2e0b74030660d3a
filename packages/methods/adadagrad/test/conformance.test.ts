import { runConformance } from "@offprint/solvers/conformance";
import { matmul, random, square, sub, sum, type Tensor, take, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { trainAdaptive } from "../src/index.js";

const tools = { describe, it, expect };
const rng = random.rng(5);
const N = 40;
const X = rng.normal([N, 3], { dtype: "float64" });
const Y = rng.normal([N, 1], { dtype: "float64" });
const data = { size: N, batch: (indices: Int32Array) => ({ x: take(X, indices), y: take(Y, indices) }) };
const params = { w: tensor(new Float64Array(3), { shape: [3, 1] }) };
const sampleLoss = ({ w }: typeof params, { x, y }: { readonly x: Tensor; readonly y: Tensor }) =>
  sum(square(sub(matmul(x, w), y)), { axis: 1 });
const problem = { params, data, sampleLoss };

for (const [sampling, optimizer] of [
  ["shuffle", "adagrad"],
  ["independent", "adagrad-norm"],
] as const) {
  runConformance(
    `trainAdaptive, ${sampling}, ${optimizer}`,
    {
      run: (options) =>
        trainAdaptive(problem, {
          learningRate: 0.1,
          initialBatch: 4,
          test: { kind: "norm", eta: 0.9 },
          optimizer,
          sampling,
          ...options,
        }),
      limit: "steps",
      short: 9,
      endless: { steps: 1e9 },
      seeded: true,
      invalid: [{ initialBatch: 1 }, { learningRate: -1 }, { maxMicro: 0 }, { sampling: "none" }, { test: 3 }],
      nonFinite: [
        () =>
          trainAdaptive(
            { ...problem, params: { w: params.w.add(Number.NaN) } },
            { learningRate: 1, initialBatch: 4, steps: 3, test: { kind: "constant" } },
          ),
      ],
    },
    tools,
  );
}
