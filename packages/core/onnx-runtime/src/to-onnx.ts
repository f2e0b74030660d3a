import { trace } from "@offprint/tensor-core";
import { lowerGraph } from "./lowering/index.js";
import { encodeModel } from "./model/graph-builder.js";

/**
 * The bytes of a standard .onnx file of a function, a whole training step included. Arguments are trees of tensors or
 * `{ shape, dtype }`, as for `trace`; the file's inputs are `input0, input1, ...` and its outputs `output0, ...` in the
 * order of the leaves (object keys sorted).
 * @throws UnsupportedError for a primitive that ONNX has no operator for.
 * @example await writeFile("step.onnx", toOnnx(step, { shape: [784, 10], dtype: "float32" }))
 */
export function toOnnx(f: (...args: any[]) => any, ...specs: any[]): Uint8Array {
  return encodeModel(lowerGraph(trace(f, ...specs), { device: "cpu" }), f.name || "traced");
}
