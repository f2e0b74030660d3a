import { onnxRuntime, toOnnx } from "@offprint/onnx-runtime";
import type { Backend, Tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { designWith, fitTable, loadExampleModel, onnxSequences, trainSequenceModel } from "../src/index.js";
import { bent, sequences, table } from "./problem.js";

describe("through ONNX Runtime", () => {
  let backend: Backend & { release(): Promise<void> };
  beforeAll(async () => {
    backend = await onnxRuntime({ device: "cpu", threads: 1 });
  });
  afterAll(() => backend.release());

  it("a language model is trained as by the compiler", async () => {
    const options = { width: 8, layers: 1, heads: 2, steps: 8, batchSize: 16, seed: "both" } as const;
    const [here, there] = [
      await trainSequenceModel(sequences, options),
      await trainSequenceModel(sequences, { ...options, backend }),
    ];
    expect(there.history.map(({ step }) => step)).toEqual(here.history.map(({ step }) => step));
    expectClose(
      there.history.map(({ loss }) => loss),
      here.history.map(({ loss }) => loss),
      1e-4,
    );
  });

  it.each(["firstOrder", "exact"] as const)("designs go where the compiler's go, outer %s", async (outer) => {
    const fit = fitTable(table, bent, { ridge: 1e-2 });
    const options = { starts: 6, steps: 8, adaptiveRate: true, outer } as const;
    const [here, there] = [await designWith(fit, options), await designWith(fit, { ...options, backend })];
    expectClose(there.logits, here.logits, 1e-8);
    expect(there.sequences).toEqual(here.sequences);
    for (const [k, { gamma, learningRate }] of there.history.entries()) {
      expectClose(gamma, here.history[k].gamma, 1e-8);
      expectClose(learningRate, here.history[k].learningRate, 1e-8);
    }
  });

  it("designs on an encoder that was exported to a file", async () => {
    const model = await loadExampleModel({ pool: "mean" });
    const bytes = toOnnx((x: Tensor) => model.features(x, model.parameters as never), {
      shape: ["batch", 8, 4],
      dtype: "float32",
    });
    const read = onnxSequences(bytes);
    const own = Array.from({ length: 40 }, (_, i) => (sequences[i] + sequences[(7 * i + 3) % 60]).slice(0, 8));
    const scores = own.map((s) => [...s].filter((c) => c === "G").length);
    const fit = fitTable({ sequences: own, scores }, read, { ridge: 1e-2 });
    const options = { starts: 3, steps: 4 } as const;
    const [here, there] = [await designWith(fit, options), await designWith(fit, { ...options, backend })];
    expectClose(there.logits, here.logits, 1e-3);
    expect(there.sequences).toEqual(here.sequences);
  });
});
