import { toOnnx } from "@offprint/onnx-runtime";
import { grad, jitSync, random, softmax, sum, type Tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { expect, it } from "vitest";
import { loadExampleModel, onnxSequences } from "../src/index.js";

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
