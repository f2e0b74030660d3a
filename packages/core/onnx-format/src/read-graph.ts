import { FormatError, requireObject, type Tensor, UnsupportedError } from "@offprint/tensor-core";
import { type ExternalFiles, externalFiles, type OnnxReadOptions } from "./external-bytes.js";
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxValue } from "./onnx-graph.js";
import {
  appendFloats,
  appendIntegers,
  type Field,
  fields,
  floatOf,
  messageOf,
  numberOf,
  type Range,
  textOf,
} from "./protobuf.js";
import { readStoredTensor, type StoredTensor } from "./read-tensor.js";
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DIMENSION,
  elementTypeOf,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE,
} from "./schema.js";

/** Graphs in graphs, as those of `If` and `Loop`; no program goes as deep. */
const DEEPEST = 64;

/** Refuses graphs that are nested deeper than any program is. */
export function requireDepth(depth: number, at: number): void {
  if (depth <= DEEPEST) return;
  throw new FormatError(`onnx: graphs are nested more than ${DEEPEST} deep; the file is damaged`, { offset: at });
}

/**
 * Reads the graph of an .onnx file: its operators and constants, without running anything. Weights stay where they are
 * in `bytes`, or in the files of `externalData`, until they are asked for.
 *
 * @throws FormatError for bytes that are no ONNX model, and for weights that are not where they are said to be in another
 * file, or out of the model's folder; UnsupportedError for weights in a file that is not given or of an element type that
 * tensors cannot hold
 */
export function readOnnxGraph(bytes: Uint8Array, options: OnnxReadOptions = {}): OnnxGraph {
  const files = externalFiles("readOnnxGraph", options);
  const file = plainBytes(bytes);
  let graph: Field | undefined;
  let opset = 0;
  for (const field of fields(file)) {
    if (field.number === MODEL.graph) graph = messageOf(field);
    else if (field.number === MODEL.opset) opset = standardOpset(file, messageOf(field)) ?? opset;
  }
  const read = graph === undefined ? undefined : readGraph({ bytes: file, files }, graph, opset, 0);
  if (read === undefined || read.outputs.length === 0) {
    throw new FormatError("onnx: the file holds no graph; it is damaged, or no ONNX model");
  }
  return read;
}

/** The bytes of a file as a plain view: slices of Node's buffers would share its memory. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array)) {
    throw new FormatError("onnx: the file must be given as a Uint8Array of its bytes");
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function standardDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function standardOpset(bytes: Uint8Array, range: Range): number | undefined {
  let [domain, version] = ["", 0];
  for (const field of fields(bytes, range)) {
    if (field.number === OPSET.domain) domain = textOf(bytes, field);
    else if (field.number === OPSET.version) version = numberOf(bytes, field);
  }
  return standardDomain(domain) === "" ? version : undefined;
}

/** A model's bytes, and the files beside it. */
interface ModelFile {
  readonly bytes: Uint8Array;
  readonly files: ExternalFiles;
}

function readGraph(file: ModelFile, range: Range, opset: number, depth: number): OnnxGraph {
  const { bytes, files } = file;
  requireDepth(depth, range.start);
  const constants: Record<string, Tensor> = Object.create(null);
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const nodes: OnnxNode[] = [];
  for (const field of fields(bytes, range)) {
    if (field.number === GRAPH.node) nodes.push(readNode(file, messageOf(field), depth));
    else if (field.number === GRAPH.initializer)
      defineConstant(constants, readStoredTensor(bytes, messageOf(field), files), field);
    else if (field.number === GRAPH.input) inputs.push(readValue(bytes, messageOf(field)));
    else if (field.number === GRAPH.output) outputs.push(readValue(bytes, messageOf(field)));
    else if (field.number === GRAPH.sparseInitializer)
      throw new UnsupportedError("onnx: sparse constants are not read; store them densely");
  }
  return { inputs: inputs.filter(({ name }) => !(name in constants)), outputs, constants, nodes, opset };
}

/** Adds a constant that is copied out of the file when somebody asks for it, once. */
function defineConstant(constants: Record<string, Tensor>, stored: StoredTensor, field: Field): void {
  const { name } = stored;
  if (name in constants) {
    throw new FormatError(`onnx: there are two constants "${name}"; the file is damaged`, { offset: field.begin });
  }
  let copy: Tensor | undefined;
  Object.defineProperty(constants, name, {
    enumerable: true,
    get: () => {
      copy ??= stored.read();
      return copy;
    },
  });
}

/** Reads a ValueInfoProto message. */
export function readValue(bytes: Uint8Array, range: Range): OnnxValue {
  requireObject("readValue", "bytes", bytes, "a Uint8Array");
  requireObject("readValue", "range", range, "a Range");
  let name = "";
  let tensorType: Field | undefined;
  for (const field of fields(bytes, range)) {
    if (field.number === VALUE.name) name = textOf(bytes, field);
    else if (field.number === VALUE.type) {
      // The last one counts, as in every message that says a field twice.
      for (const one of fields(bytes, messageOf(field))) if (one.number === TYPE.tensor) tensorType = one;
    }
  }
  let code = 0;
  let shape: (number | string)[] | undefined;
  if (tensorType !== undefined) {
    for (const field of fields(bytes, messageOf(tensorType))) {
      if (field.number === TENSOR_TYPE.element) code = numberOf(bytes, field);
      else if (field.number === TENSOR_TYPE.shape) shape = readExtents(bytes, messageOf(field));
    }
  }
  return { name, type: elementTypeOf(code), shape };
}

function readExtents(bytes: Uint8Array, range: Range): (number | string)[] {
  const extents: (number | string)[] = [];
  for (const field of fields(bytes, range)) {
    if (field.number !== SHAPE.dimension) continue;
    let extent: number | string = "?";
    for (const part of fields(bytes, messageOf(field))) {
      if (part.number === DIMENSION.extent) extent = numberOf(bytes, part);
      else if (part.number === DIMENSION.name) extent = textOf(bytes, part);
    }
    extents.push(extent);
  }
  return extents;
}

function readNode(file: ModelFile, range: Range, depth: number): OnnxNode {
  const { bytes } = file;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Record<string, OnnxAttribute> = Object.create(null);
  let [operator, domain, name] = ["", "", ""];
  for (const field of fields(bytes, range)) {
    if (field.number === NODE.input) inputs.push(textOf(bytes, field));
    else if (field.number === NODE.output) outputs.push(textOf(bytes, field));
    else if (field.number === NODE.operator) operator = textOf(bytes, field);
    else if (field.number === NODE.domain) domain = standardDomain(textOf(bytes, field));
    else if (field.number === NODE.name) name = textOf(bytes, field);
    else if (field.number === NODE.attribute) {
      const [key, value] = readAttribute(file, messageOf(field), depth);
      attributes[key] = value;
    }
  }
  if (operator === "")
    throw new FormatError("onnx: a node names no operator; the file is damaged", { offset: range.start });
  return { operator, domain, name, inputs, outputs, attributes };
}

function readAttribute(file: ModelFile, range: Range, depth: number): [name: string, value: OnnxAttribute] {
  const { bytes, files } = file;
  const last: (Field | undefined)[] = [];
  const numbers: number[] = [];
  const texts: string[] = [];
  const tensors: Tensor[] = [];
  for (const field of fields(bytes, range)) {
    if (field.number === ATTRIBUTE.floats) appendFloats(numbers, bytes, field);
    else if (field.number === ATTRIBUTE.integers) appendIntegers(numbers, bytes, field);
    else if (field.number === ATTRIBUTE.texts) texts.push(textOf(bytes, field));
    else if (field.number === ATTRIBUTE.tensors) tensors.push(readStoredTensor(bytes, messageOf(field), files).read());
    else if (field.number <= ATTRIBUTE.type) last[field.number] = field;
  }
  const named = last[ATTRIBUTE.name];
  const name = named === undefined ? "" : textOf(bytes, named);
  if (name === "")
    throw new FormatError("onnx: an attribute has no name; the file is damaged", { offset: range.start });
  const content = (number: number): Field => {
    const field = last[number];
    if (field !== undefined) return messageOf(field);
    throw new FormatError(`onnx: attribute "${name}" has no content; the file is damaged`, { offset: range.start });
  };
  // Writers leave out numbers that are 0 and texts that are empty.
  const kind = last[ATTRIBUTE.type];
  const [float, integer, text] = [last[ATTRIBUTE.float], last[ATTRIBUTE.integer], last[ATTRIBUTE.text]];
  const type = kind === undefined ? 0 : numberOf(bytes, kind);
  switch (type) {
    case ATTRIBUTE_TYPE.float:
      return [name, float === undefined ? 0 : floatOf(bytes, float)];
    case ATTRIBUTE_TYPE.integer:
      return [name, integer === undefined ? 0 : numberOf(bytes, integer)];
    case ATTRIBUTE_TYPE.text:
      return [name, text === undefined ? "" : textOf(bytes, text)];
    case ATTRIBUTE_TYPE.tensor:
      return [name, readStoredTensor(bytes, content(ATTRIBUTE.tensor), files).read()];
    case ATTRIBUTE_TYPE.graph:
      return [name, readGraph(file, content(ATTRIBUTE.graph), 0, depth + 1)];
    case ATTRIBUTE_TYPE.floats:
    case ATTRIBUTE_TYPE.integers:
      return [name, numbers];
    case ATTRIBUTE_TYPE.texts:
      return [name, texts];
    case ATTRIBUTE_TYPE.tensors:
      return [name, tensors];
    default:
      throw new UnsupportedError(`onnx: attribute "${name}" is of a kind that is not read (${type})`);
  }
}
