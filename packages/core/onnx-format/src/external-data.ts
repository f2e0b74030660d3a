import { fields, messageOf, numberOf } from "./protobuf.js";
import { plainBytes } from "./read-graph.js";
import { GRAPH, MODEL, TENSOR } from "./schema.js";

/**
 * Whether any weight of a model lies in another file, as those of models beyond 2 GB do, and of any that newer PyTorch exports.
 *
 * @throws FormatError for bytes that are no ONNX model
 */
export function hasExternalData(bytes: Uint8Array): boolean {
  const file = plainBytes(bytes);
  for (const model of fields(file)) {
    if (model.number !== MODEL.graph) continue;
    for (const part of fields(file, messageOf(model))) {
      if (part.number !== GRAPH.initializer) continue;
      for (const field of fields(file, messageOf(part))) {
        if (field.number === TENSOR.location && numberOf(file, field) === 1) return true;
      }
    }
  }
  return false;
}
