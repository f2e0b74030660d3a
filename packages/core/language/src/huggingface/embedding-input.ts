import {
  ATTRIBUTE,
  elementTypeOf,
  type Field,
  fields,
  GRAPH,
  joined,
  lengthField,
  MODEL,
  messageOf,
  NODE,
  type Part,
  readStoredTensor,
  readTensorHeader,
  textOf,
  VALUE,
  valueParts,
} from "@offprint/onnx-format/messages";
import { FormatError, requireObject, type Tensor } from "@offprint/tensor-core";

/** Name of the input that takes embeddings. */
export const EMBEDS = "inputs_embeds";

/** Operators that hand integers on unchanged, by their first input. */
const unchanged = new Set(["Reshape", "Cast", "Identity", "Squeeze", "Unsqueeze", "Flatten"]);

/** Graphs inside graphs, at most. */
const DEEPEST = 64;

interface Node {
  readonly field: Field;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What is visible in a graph: its own names, then those around it. */
interface Scope {
  /** Float matrices. */
  readonly tables: Map<string, Field>;
  readonly origins: Map<string, string>;
  readonly around: Scope | undefined;
  readonly depth: number;
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
  requireObject("openAtEmbeddings", "bytes", bytes, "a Uint8Array");
  const graph = [...fields(bytes)].find(({ number }) => number === MODEL.graph);
  if (graph === undefined) throw new FormatError("onnx: the file holds no graph; it is damaged, or no ONNX model");
  const found: Field[] = [];
  const body = rewritten(bytes, messageOf(graph), undefined, found, keep);
  if (found.length === 0) return undefined;
  const rest = [...fields(bytes)].filter(({ begin }) => begin !== graph.begin);
  const table = readStoredTensor(bytes, found[0]);
  const shape = ["batch_size", "sequence_length", table.shape[1]];
  const input = lengthField(GRAPH.input, ...valueParts({ name: EMBEDS, type: "float32", shape }));
  const kept = lengthField(MODEL.graph, ...body, input);
  const opened = joined([...rest.map(({ begin, end }) => bytes.subarray(begin, end)), kept]);
  return { bytes: opened, table: table.read() };
}

function isNamed(bytes: Uint8Array, value: Field, name: string): boolean {
  return [...fields(bytes, messageOf(value))].some((f) => f.number === VALUE.name && textOf(bytes, f) === name);
}

/**
 * The fields of a graph with the lookups in it, and in graphs inside it, replaced; tables are added to `found`.
 *
 * @param keep the only output that stays; all of them where it is not given
 */
function rewritten(bytes: Uint8Array, graph: Field, around: Scope | undefined, found: Field[], keep?: string): Part[] {
  const parts = [...fields(bytes, graph)].filter(
    (part) => keep === undefined || part.number !== GRAPH.output || isNamed(bytes, part, keep),
  );
  const depth = around === undefined ? 0 : around.depth + 1;
  if (depth > DEEPEST) throw new FormatError(`onnx: graphs are nested more than ${DEEPEST} deep; the file is damaged`);
  const scope: Scope = { tables: new Map(), origins: new Map(), around, depth };
  for (const part of parts) if (part.number === GRAPH.initializer) addTable(bytes, messageOf(part), scope.tables);
  return parts.map((part): Part => {
    if (part.number !== GRAPH.node) return bytes.subarray(part.begin, part.end);
    const node = readNode(bytes, messageOf(part));
    if (unchanged.has(node.operator)) scope.origins.set(node.outputs[0], node.inputs[0]);
    const table = node.operator === "Gather" ? lookup(scope.tables, around, node.inputs[0]) : undefined;
    if (table !== undefined && origin(scope, node.inputs[1]) === "input_ids") {
      if (node.outputs.length === 0) throw new FormatError("onnx: a Gather has no output; the file is damaged");
      found.push(table);
      return lengthField(
        GRAPH.node,
        lengthField(NODE.input, EMBEDS),
        lengthField(NODE.output, node.outputs[0]),
        lengthField(NODE.operator, "Identity"),
      );
    }
    return withInnerGraphs(bytes, node, scope, found);
  });
}

/** A node whose attributes may hold graphs, as those of `If` do. */
function withInnerGraphs(bytes: Uint8Array, { field, operator }: Node, scope: Scope, found: Field[]): Part {
  const whole = bytes.subarray(field.begin, field.end);
  if (operator !== "If") return whole;
  const parts = [...fields(bytes, field)].map((part) => {
    if (part.number !== NODE.attribute) return bytes.subarray(part.begin, part.end);
    const inner = [...fields(bytes, messageOf(part))].map((f) =>
      f.number === ATTRIBUTE.graph
        ? lengthField(ATTRIBUTE.graph, ...rewritten(bytes, messageOf(f), scope, found))
        : bytes.subarray(f.begin, f.end),
    );
    return lengthField(NODE.attribute, ...inner);
  });
  return lengthField(GRAPH.node, ...parts);
}

function lookup(own: Map<string, Field>, around: Scope | undefined, name: string): Field | undefined {
  return own.get(name) ?? (around && lookup(around.tables, around.around, name));
}

/** Where a value of integers comes from. */
function origin(scope: Scope, name: string): string {
  let at = name;
  for (let s: Scope | undefined = scope; s !== undefined; s = s.around) {
    let steps = 0;
    for (let next = s.origins.get(at); next !== undefined; next = s.origins.get(at)) {
      if (++steps > s.origins.size)
        throw new FormatError(`onnx: the value ${at} is made of itself; the file is damaged`);
      at = next;
    }
  }
  return at;
}

function readNode(bytes: Uint8Array, field: Field): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let operator = "";
  for (const part of fields(bytes, field)) {
    if (part.number === NODE.input) inputs.push(textOf(bytes, part));
    else if (part.number === NODE.output) outputs.push(textOf(bytes, part));
    else if (part.number === NODE.operator) operator = textOf(bytes, part);
  }
  return { field, operator, inputs, outputs };
}

/** Remembers an initializer if it is a float matrix. */
function addTable(bytes: Uint8Array, field: Field, tables: Map<string, Field>): void {
  const { name, code, shape } = readTensorHeader(bytes, field);
  if (elementTypeOf(code) === "float32" && shape.length === 2) tables.set(name, field);
}
