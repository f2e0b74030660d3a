import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../src/index.js";
import { disagreement } from "./agreement/agreement.js";
import { exportCases } from "./export-cases.js";
import { eagerly, pythonHasOnnx, restore, runInPython, type StoredTensor, writeExports } from "./exported-values.js";

const TOLERANCE = {
  float32: { relative: 2e-5, absolute: 2e-6 },
  float64: { relative: 1e-11, absolute: 1e-12 },
  int32: { relative: 0, absolute: 0 },
  bool: { relative: 0, absolute: 0 },
};

function expectAgreement(actual: readonly Tensor[], expected: readonly Tensor[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  actual.forEach((x, i) => {
    expect(disagreement(x, expected[i], TOLERANCE[x.dtype]), `${what}, output ${i}`).toBeUndefined();
  });
}

const names = Object.keys(exportCases);

describe.each(names)("%s as a file", (name) => {
  const folder = fileURLToPath(new URL("fixtures", import.meta.url));
  const inputs: Record<string, Record<string, StoredTensor>> = JSON.parse(
    readFileSync(join(folder, "inputs.json"), "utf8"),
  );
  const outputs: Record<string, StoredTensor[]> = JSON.parse(readFileSync(join(folder, "outputs.json"), "utf8"));

  it("written earlier loads by path and by bytes, and gives what Python's onnxruntime gave", async () => {
    const path = join(folder, `${name}.onnx`);
    const feeds = Object.fromEntries(Object.entries(inputs[name]).map(([key, x]) => [key, restore(x)]));
    for (const source of [path, new Uint8Array(readFileSync(path))]) {
      const model = await loadModel(source);
      // The order of the outputs is that of the file.
      const results = await model.run(feeds);
      const expected = outputs[name].map(restore);
      expectAgreement(
        model.outputs.map((output) => results[output.name]),
        expected,
        name,
      );
      await model.release();
    }
  });
});

describe.skipIf(!pythonHasOnnx())(
  "new files [needs python3-onnx and python3-onnxruntime: install them from Debian]",
  () => {
    let folder: string;
    let outputs: Record<string, StoredTensor[]>;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "offprint-export-"));
      writeExports(folder);
      outputs = runInPython(folder);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(names)("%s passes onnx.checker and gives in Python what it gives eagerly", (name) => {
      expectAgreement(outputs[name].map(restore), eagerly(exportCases[name]), name);
    });
  },
);
