import { readFileSync } from "node:fs";
import { toOnnx } from "@offprint/onnx-runtime";
import { grad, jitSync, random, softmax, sum, type Tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, numericalGradient, readFixture } from "@offprint/testing";
import { expect, it } from "vitest";
import { dna, encodeSequences, loadExampleModel, onnxSequences } from "../src/index.js";

it("a model in an .onnx file has the features and the gradients of the one that was written", async () => {
  const model = await loadExampleModel({ pool: "flatten" });
  const bytes = toOnnx((x: Tensor) => model.features(x, model.parameters as never), {
    shape: [5, 8, 4],
    dtype: "float32",
  });
  const read = onnxSequences(bytes);
  const soft = softmax(random.rng(1).normal([5, 8, 4], { dtype: "float64" }), -1);
  const of = (m: typeof model | typeof read) => (x: Tensor) => m.features(x, m.parameters as never);
  expectClose(jitSync(of(read))(soft), of(model)(soft), 2e-5);
  const slope = (m: typeof model | typeof read) => grad((x: Tensor) => sum(of(m)(x).sin()))(soft);
  expectClose(slope(read), slope(model), 1e-4);
  expect(() => onnxSequences(bytes, { output: "none" })).toThrow('there is no output "none"');
});

it("an encoder that export_encoder.py wrote has the features that it has on tokens, and gradients in the letters", () => {
  const file = readFileSync(new URL("fixtures/encoder.onnx", import.meta.url));
  const exact = readFixture<{ sequences: string[]; features: number[][][] }>(import.meta.url, "encoder.json");
  const model = onnxSequences(file, { alphabet: dna, pool: "flatten" });
  const rows = encodeSequences("test", exact.sequences, dna);
  const features = model.features(rows, model.parameters as never);
  expectClose(
    features,
    exact.features.map((places) => places.flat()),
    2e-5,
  );
  const one = rows.slice([{ start: 0, stop: 1 }]);
  const score = (x: Tensor) => sum(model.features(x, model.parameters as never).sin());
  expectClose(grad(score)(one), numericalGradient(score, one, { step: 1e-2 }), { ofLargest: 2e-2 });
  expect(() => onnxSequences(file, { alphabet: ["A", "C", "G"] })).toThrow(
    errorLike("ShapeError", /takes 4 numbers a letter, and the alphabet has 3 letters/),
  );
  expect(() => model.features(rows.slice([null, { start: 0, stop: 5 }]), model.parameters as never)).toThrow(
    errorLike("ShapeError", /the sequences have 5 letters, and the file was exported for 6/),
  );
});
