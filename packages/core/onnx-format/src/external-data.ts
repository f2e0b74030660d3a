import { elementSize, ValueError } from "@offprint/tensor-core";
import {
  type ExternalFile,
  type ExternalFiles,
  type ExternalPlace,
  externalFileName,
  externalPart,
} from "./external-bytes.js";
import { fields, messageOf, type Range } from "./protobuf.js";
import { plainBytes, requireDepth } from "./read-graph.js";
import { readTensorHeader } from "./read-tensor.js";
import { ATTRIBUTE, elementTypeOf, GRAPH, MODEL, NODE } from "./schema.js";

/**
 * Whether any weight of a model lies in another file, as those of models beyond 2 GB do, and of any that newer PyTorch exports.
 *
 * @throws FormatError for bytes that are no ONNX model
 */
export function hasExternalData(bytes: Uint8Array): boolean {
  return !externalConstants(plainBytes(bytes)).next().done;
}

/**
 * Names of the files beside a model in which its weights lie, each once.
 *
 * @throws FormatError for bytes that are no ONNX model, and for names out of the model's folder
 */
export function externalFileNames(bytes: Uint8Array): string[] {
  return [...new Set(Array.from(externalConstants(plainBytes(bytes)), externalFileName))];
}

/**
 * Looks whether the weights of a model that lie in other files are there, for those who let another program read them: that the
 * files are there, long enough and those of the model's checksums. Reads no number.
 *
 * @param files gives the files by the names of `externalFileNames`
 * @throws UnsupportedError for a file that is not there; FormatError for bytes that are no ONNX model, for a place that is not in its
 * file, or out of the model's folder, or that holds more or less than its shape needs, and for a file of another checksum
 */
export function checkExternalData(bytes: Uint8Array, files: ExternalFiles<ExternalFile>): void {
  if (typeof files !== "function") throw new ValueError("checkExternalData: files must be a function of a file's name");
  for (const { code, shape, ...place } of externalConstants(plainBytes(bytes))) {
    const type = elementTypeOf(code);
    const size = type === undefined ? undefined : shape.reduce((product, n) => product * n, elementSize[type]);
    // Of types that tensors cannot hold, the file itself says how long they are.
    externalPart(place, size ?? Number(place.entries.get("length") ?? 0), files);
  }
}

interface ExternalConstant extends ExternalPlace {
  readonly code: number;
  readonly shape: readonly number[];
}

/** Constants of a model that lie in other files, those of its branches and of attributes too. */
function* externalConstants(bytes: Uint8Array): Generator<ExternalConstant> {
  for (const model of fields(bytes)) {
    if (model.number !== MODEL.graph) continue;
    for (const range of constantsOf(bytes, messageOf(model), 0)) {
      const { name, code, shape, external } = readTensorHeader(bytes, range);
      if (external) yield { where: `onnx: constant "${name}"`, at: range.start, entries: external, code, shape };
    }
  }
}

function* constantsOf(bytes: Uint8Array, graph: Range, depth: number): Generator<Range> {
  requireDepth(depth, graph.start);
  for (const part of fields(bytes, graph)) {
    if (part.number === GRAPH.initializer) yield messageOf(part);
    if (part.number !== GRAPH.node) continue;
    for (const attribute of fields(bytes, messageOf(part))) {
      if (attribute.number !== NODE.attribute) continue;
      for (const content of fields(bytes, messageOf(attribute))) {
        if (content.number === ATTRIBUTE.tensor || content.number === ATTRIBUTE.tensors) yield messageOf(content);
        else if (content.number === ATTRIBUTE.graph || content.number === ATTRIBUTE.graphs) {
          yield* constantsOf(bytes, messageOf(content), depth + 1);
        }
      }
    }
  }
}
