import { FormatError, requireObject, ValueError } from "@offprint/tensor-core";
import { type Field, fields, messageOf, textOf } from "./protobuf.js";
import { joined, lengthField, type Part } from "./protobuf-writer.js";
import { GRAPH, MODEL, NODE, VALUE } from "./schema.js";

/**
 * The same .onnx file with other names for inputs and outputs, such as those that a program looks for. All else stays, byte by byte;
 * an `Identity` hands each value on under its old name.
 * @param names new names by old ones
 * @throws ValueError for a name that is none of an input or output; FormatError for damaged bytes.
 * @example renameValues(toOnnx(network, { shape: [1, 3], dtype: "float32" }), { input0: "sample", output0: "out_sample" })
 */
export function renameValues(bytes: Uint8Array, names: Readonly<Record<string, string>>): Uint8Array {
  requireObject("renameValues", "bytes", bytes, "a Uint8Array");
  requireObject("renameValues", "names", names, "an object");
  const graph = [...fields(bytes)].find(({ number }) => number === MODEL.graph);
  if (graph === undefined)
    throw new FormatError("renameValues: the file holds no graph; it is damaged, or no ONNX model");
  const missing = new Set(Object.keys(names));
  const before: Part[] = [];
  const after: Part[] = [];
  const body = [...fields(bytes, messageOf(graph))].map((part): Part => {
    const whole = bytes.subarray(part.begin, part.end);
    if (part.number !== GRAPH.input && part.number !== GRAPH.output) return whole;
    const old = nameOf(bytes, part);
    if (!Object.hasOwn(names, old)) return whole;
    missing.delete(old);
    if (part.number === GRAPH.input) before.push(identity(names[old], old));
    else after.push(identity(old, names[old]));
    return lengthField(part.number, ...renamed(bytes, part, names[old]));
  });
  if (missing.size > 0) {
    throw new ValueError(`renameValues: the file has no input or output "${[...missing].join('", "')}"`);
  }
  const rest = [...fields(bytes)].filter(({ begin }) => begin !== graph.begin);
  return joined([
    ...rest.map(({ begin, end }) => bytes.subarray(begin, end)),
    lengthField(MODEL.graph, ...before, ...body, ...after),
  ]);
}

function identity(from: string, to: string): Part {
  return lengthField(
    GRAPH.node,
    lengthField(NODE.input, from),
    lengthField(NODE.output, to),
    lengthField(NODE.operator, "Identity"),
  );
}

function nameOf(bytes: Uint8Array, value: Field): string {
  const name = [...fields(bytes, messageOf(value))].find(({ number }) => number === VALUE.name);
  return name === undefined ? "" : textOf(bytes, name);
}

function renamed(bytes: Uint8Array, value: Field, name: string): Part[] {
  return [...fields(bytes, messageOf(value))].map((part) =>
    part.number === VALUE.name ? lengthField(VALUE.name, name) : bytes.subarray(part.begin, part.end),
  );
}
