import { FormatError, type Tensor, tensor, UnsupportedError } from "@offprint/tensor-core";
import { type Field, fields, joined, lengthField, numberField, numberOf, textOf } from "./protobuf.js";

// Numbers of the fields of ONNX's messages.
const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, operator: 4, attribute: 5, graph: 6 };
const TENSOR = { dims: 1, type: 2, floats: 4, name: 8, raw: 9, location: 14 };
const FLOAT = 1;

/** Name of the input that takes embeddings. */
export const EMBEDS = "inputs_embeds";

/** Operators that hand integers on unchanged, by their first input. */
const unchanged = new Set(["Reshape", "Cast", "Identity", "Squeeze", "Unsqueeze", "Flatten"]);

interface Node {
  readonly field: Field;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A table of embeddings inside a file. */
interface Table {
  readonly shape: readonly number[];
  readonly field: Field;
}

/** What is visible in a graph: its own names, then those around it. */
interface Scope {
  readonly tables: Map<string, Table>;
  readonly origins: Map<string, string>;
  readonly around: Scope | undefined;
}

/** A model whose token embeddings can be given from outside. */
export interface OpenedModel {
  /** The same .onnx file with the float input `inputs_embeds` `[batch, sequence, d]` in place of the lookup. */
  readonly bytes: Uint8Array;
  /** Token embeddings `[V, d]`. */
  readonly table: Tensor;
}

/**
 * Opens an .onnx model of token ids at its embeddings: the lookup of `input_ids` in a float matrix becomes an input. All
 * else stays, byte by byte, but outputs other than the one that is named.
 *
 * @param keep the output that is kept, such as `logits`
 * @returns undefined where the file has no such lookup, as in quantised models
 * @throws FormatError for damaged bytes; UnsupportedError where the matrix lies in another file.
 */
export function openAtEmbeddings(bytes: Uint8Array, keep = "logits"): OpenedModel | undefined {
  const graph = [...fields(bytes)].find(({ number, wireType }) => number === MODEL.graph && wireType === 2);
  if (graph === undefined) throw new FormatError("onnx: the file holds no graph; it is damaged, or no ONNX model");
  const found: Table[] = [];
  const body = rewritten(bytes, graph, undefined, found);
  if (found.length === 0) return undefined;
  const rest = [...fields(bytes, 0, bytes.length)].filter(({ begin }) => begin !== graph.begin);
  const d = found[0].shape[1];
  const input = valueInfo(EMBEDS, ["batch_size", "sequence_length", d]);
  const kept = joined([...body.filter((part) => isWanted(part, keep)), input]);
  const opened = joined([...rest.map(({ begin, end }) => bytes.subarray(begin, end)), lengthField(MODEL.graph, kept)]);
  return { bytes: opened, table: readTable(bytes, found[0]) };
}

/** Everything but outputs of another name. */
function isWanted(part: Uint8Array, keep: string): boolean {
  const [field] = fields(part);
  if (field.number !== GRAPH.output) return true;
  return [...fields(part, field.start, field.end)].some((f) => f.number === 1 && textOf(part, f) === keep);
}

/** A declaration of a float tensor, as the field of a graph's inputs. */
function valueInfo(name: string, extents: readonly (string | number)[]): Uint8Array {
  const dims = extents.map((n) => lengthField(1, typeof n === "number" ? numberField(1, n) : lengthField(2, n)));
  const type = lengthField(2, lengthField(1, numberField(1, FLOAT), lengthField(2, ...dims)));
  return lengthField(GRAPH.input, lengthField(1, name), type);
}

/** The fields of a graph with the lookups in it, and in graphs inside it, replaced; tables are added to `found`. */
function rewritten(bytes: Uint8Array, graph: Field, around: Scope | undefined, found: Table[]): Uint8Array[] {
  const parts = [...fields(bytes, graph.start, graph.end)];
  const scope: Scope = { tables: new Map(), origins: new Map(), around };
  for (const part of parts) if (part.number === GRAPH.initializer) addTable(bytes, part, scope.tables);
  return parts.map((part) => {
    if (part.number !== GRAPH.node) return bytes.subarray(part.begin, part.end);
    const node = readNode(bytes, part);
    if (unchanged.has(node.operator)) scope.origins.set(node.outputs[0], node.inputs[0]);
    const table = node.operator === "Gather" ? lookup(scope.tables, around, node.inputs[0]) : undefined;
    if (table !== undefined && origin(scope, node.inputs[1]) === "input_ids") {
      found.push(table);
      return lengthField(
        GRAPH.node,
        lengthField(1, EMBEDS),
        lengthField(2, node.outputs[0]),
        lengthField(4, "Identity"),
      );
    }
    return withInnerGraphs(bytes, node, scope, found);
  });
}

/** A node whose attributes may hold graphs, as those of `If` do. */
function withInnerGraphs(bytes: Uint8Array, { field, operator }: Node, scope: Scope, found: Table[]): Uint8Array {
  const whole = bytes.subarray(field.begin, field.end);
  if (operator !== "If") return whole;
  const parts = [...fields(bytes, field.start, field.end)].map((part) => {
    if (part.number !== NODE.attribute) return bytes.subarray(part.begin, part.end);
    const inner = [...fields(bytes, part.start, part.end)].map((f) =>
      f.number === NODE.graph && f.wireType === 2
        ? lengthField(NODE.graph, ...rewritten(bytes, f, scope, found))
        : bytes.subarray(f.begin, f.end),
    );
    return lengthField(NODE.attribute, ...inner);
  });
  return lengthField(GRAPH.node, ...parts);
}

function lookup(own: Map<string, Table>, around: Scope | undefined, name: string): Table | undefined {
  return own.get(name) ?? (around && lookup(around.tables, around.around, name));
}

/** Where a value of integers comes from. */
function origin(scope: Scope, name: string): string {
  let at = name;
  for (let s: Scope | undefined = scope; s !== undefined; s = s.around) {
    for (let next = s.origins.get(at); next !== undefined; next = s.origins.get(at)) at = next;
  }
  return at;
}

function readNode(bytes: Uint8Array, field: Field): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let operator = "";
  for (const part of fields(bytes, field.start, field.end)) {
    if (part.number === NODE.input) inputs.push(textOf(bytes, part));
    else if (part.number === NODE.output) outputs.push(textOf(bytes, part));
    else if (part.number === NODE.operator) operator = textOf(bytes, part);
  }
  return { field, operator, inputs, outputs };
}

/** Remembers an initializer if it is a float matrix. */
function addTable(bytes: Uint8Array, field: Field, tables: Map<string, Table>): void {
  const shape: number[] = [];
  let name = "";
  let type = 0;
  for (const part of fields(bytes, field.start, field.end)) {
    if (part.number === TENSOR.dims && part.wireType === 0) shape.push(numberOf(bytes, part));
    else if (part.number === TENSOR.dims) {
      for (let at = part.start; at < part.end; ) {
        const one = { ...part, start: at };
        shape.push(numberOf(bytes, one));
        while (bytes[at] >= 128) at += 1;
        at += 1;
      }
    } else if (part.number === TENSOR.type) type = numberOf(bytes, part);
    else if (part.number === TENSOR.name) name = textOf(bytes, part);
  }
  if (type === FLOAT && shape.length === 2) tables.set(name, { shape, field });
}

function readTable(bytes: Uint8Array, { shape, field }: Table): Tensor {
  const count = shape[0] * shape[1];
  const out = new Float32Array(count);
  let filled = 0;
  for (const part of fields(bytes, field.start, field.end)) {
    if (part.number === TENSOR.location && numberOf(bytes, part) === 1) {
      throw new UnsupportedError(
        "onnx: the token embeddings are in another file; save the model with its weights inside",
      );
    }
    const packed = part.wireType === 2 && (part.number === TENSOR.raw || part.number === TENSOR.floats);
    if (!packed && part.number !== TENSOR.floats) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset + part.start, part.end - part.start);
    for (let at = 0; at + 4 <= view.byteLength && filled < count; at += 4) out[filled++] = view.getFloat32(at, true);
  }
  if (filled !== count) throw new FormatError(`onnx: the token embeddings lack numbers for shape [${shape}]`);
  return tensor(out, { shape });
}

/** Whether any weight of a model lies in another file. */
export function hasExternalData(bytes: Uint8Array): boolean {
  for (const model of fields(bytes)) {
    if (model.number !== MODEL.graph) continue;
    for (const part of fields(bytes, model.start, model.end)) {
      if (part.number !== GRAPH.initializer) continue;
      for (const f of fields(bytes, part.start, part.end)) {
        if (f.number === TENSOR.location && numberOf(bytes, f) === 1) return true;
      }
    }
  }
  return false;
}
