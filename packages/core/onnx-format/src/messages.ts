// For programs that change a file in place: all that they do not touch stays, byte by byte.
export { type ExternalFile, type ExternalFiles, type LoadedFile, loadedFile } from "./external-bytes.js";
export { checkExternalData, externalFileNames } from "./external-data.js";
export { type Field, fields, messageOf, numberOf, type Range, textOf } from "./protobuf.js";
export { joined, lengthField, Message, numberField, type Part } from "./protobuf-writer.js";
export { readValue } from "./read-graph.js";
export { readStoredTensor, readTensorHeader, type StoredTensor, type TensorHeader } from "./read-tensor.js";
export { ATTRIBUTE, elementTypeOf, GRAPH, MODEL, NODE, VALUE } from "./schema.js";
export { valueParts } from "./write-graph.js";
