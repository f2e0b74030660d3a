export type { ExternalData, OnnxReadOptions } from "./external-bytes.js";
export { hasExternalData } from "./external-data.js";
export type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxValue } from "./onnx-graph.js";
export { readOnnxGraph } from "./read-graph.js";
export { renameValues } from "./rename-values.js";
export { elementTypeCode } from "./schema.js";
export {
  type AttributeSource,
  type ConstantSource,
  type GraphSource,
  type NodeSource,
  type OnnxWriteOptions,
  type ValueSource,
  writeOnnxGraph,
} from "./write-graph.js";
