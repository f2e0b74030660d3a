import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeOnnxGraph } from "@offprint/onnx-format";
import { fields, joined, lengthField, MODEL, numberField } from "@offprint/onnx-format/messages";

/** The numbers 0 to 5, a matrix [2, 3], as they lie in a file beside a model. */
export const besideWeights = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);

/**
 * Saves `y = x w` in a new folder as m.onnx, whose weights are in another file.
 * @param entries where the weights are said to lie
 * @param file content of w.bin beside it; default none
 * @returns the model's path
 */
export function saveBeside(folder: string, entries: Readonly<Record<string, string>>, file?: Uint8Array): string {
  const places = Object.entries(entries).map(([key, value]) =>
    lengthField(13, lengthField(1, key), lengthField(2, value)),
  );
  const extents = [numberField(1, 2), numberField(1, 3)];
  const w = lengthField(5, ...extents, numberField(2, 1), lengthField(8, "w"), ...places, numberField(14, 1));
  const inside = writeOnnxGraph(
    {
      inputs: [{ name: "x", type: "float32", shape: [2] }],
      outputs: [{ name: "y", type: "float32", shape: [3] }],
      nodes: [{ operator: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
    },
    { opset: 17, irVersion: 8 },
  );
  const outer = [...fields(inside)].map((part) =>
    part.number === MODEL.graph
      ? lengthField(MODEL.graph, inside.subarray(part.start, part.end), w)
      : inside.subarray(part.begin, part.end),
  );
  const path = join(folder, "m.onnx");
  mkdirSync(folder);
  writeFileSync(path, joined(outer));
  if (file !== undefined) writeFileSync(join(folder, "w.bin"), file);
  return path;
}
