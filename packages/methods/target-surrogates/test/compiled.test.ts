import { largestDifference } from "@offprint/claims";
import { mlp } from "@offprint/nn";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { type Backend, random, softmax } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baselines, type InnerOptions, losses, OnlineSso, type SsoOptions, sso } from "../src/index.js";
import { double, models, rngOf, targetLosses } from "./problems.js";

let backend: Backend & { release(): Promise<void> };

beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});

afterAll(() => backend.release());

const n = 24;
const x = rngOf("compiled").normal([n, 4], double);
const { oracle } = targetLosses(n).softmax;

describe("compiled inner steps", () => {
  const inner: InnerOptions[] = [
    { steps: 3 },
    { solver: "fixed", steps: 3, learningRate: 0.2 },
    { solver: "adam", steps: 3, learningRate: 0.05 },
    { solver: "lbfgs", steps: 2 },
  ];
  it.each(inner)("are the same as eager ones: %o", async (solver) => {
    const options: SsoOptions = { eta: 1, steps: 4, batch: 9, dropLast: false, inner: solver };
    const eager = await sso(models().network, { x }, oracle, options);
    const compiled = await sso(models().network, { x }, oracle, { ...options, backend });
    expect(largestDifference(compiled.params, eager.params)).toBeLessThan(1e-11);
    expect(compiled.history.at(-1)?.forwardCalls).toBe(eager.history.at(-1)?.forwardCalls);
  });

  it("are the same with a diagonal, with Kullback-Leibler's distance and with a proximal term over all", async () => {
    for (const more of [{ metric: "adagrad-diag" }, { metric: "newton" }, { prox: "full" }] as const) {
      const options: SsoOptions = { eta: 1, steps: 3, batch: 8, inner: { steps: 2 }, ...more };
      const eager = await sso(models().network, { x }, oracle, options);
      const compiled = await sso(models().network, { x }, oracle, { ...options, backend });
      expect(largestDifference(compiled.params, eager.params)).toBeLessThan(1e-11);
    }
    const network = mlp({ sizes: [4, 3] });
    const model = {
      params: network.init(rngOf("softmax"), "float64"),
      forward: (params: any, inputs: any) => softmax(network.apply(params, inputs)),
    };
    const options: SsoOptions = { eta: 0.3, steps: 8, metric: "kl", inner: { steps: 4 } };
    const brier = losses.squared(rngOf("p").uniform([n, 3], double)).oracle;
    const eager = await sso(model, { x }, brier, options);
    const compiled = await sso(model, { x }, brier, { ...options, backend });
    expect(largestDifference(compiled.params, eager.params)).toBeLessThan(1e-11);
    expect(eager.history[7].loss).toBeLessThan(eager.history[0].loss);
  });

  it("keep float32 parameters float32, and serve all rounds of an online learner", async () => {
    const network = mlp({ sizes: [4, 6, 3] });
    const model = {
      params: network.init(random.rng(0)),
      forward: (params: any, inputs: any) => network.apply(params, inputs),
    };
    const online = new OnlineSso(model, { eta: 1, inner: { steps: 5 }, backend });
    const told: (number | undefined)[] = [];
    for (let round = 0; round < 6; round++) told.push((await online.observe(x.cast("float32"), oracle))?.loss);
    await online.release();
    expect(online.params[0].weight.dtype).toBe("float32");
    expect(told[5]).toBeLessThan(told[0] as number);
  });

  it("serve the baselines", async () => {
    for (const name of ["sgd", "adam", "svrg", "sls"] as const) {
      const options = { steps: 4, learningRate: 0.1, batch: 8 };
      const eager = await baselines[name](models().network, { x }, oracle, options);
      const compiled = await baselines[name](models().network, { x }, oracle, { ...options, backend });
      expect(largestDifference(compiled.params, eager.params)).toBeLessThan(1e-11);
    }
  });
});
