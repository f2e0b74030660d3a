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
  readTensorHeader,
  readValue,
  textOf,
  valueParts,
} from "@offprint/onnx-format/messages";
import { type ElementType, UnsupportedError } from "@offprint/tensor-core";
import { lackedOperator, type OperatorName } from "./session/errors.js";

/** A model that lacks more kinds of operators is of another world. */
const MOST = 50;

/**
 * The engine stops at the first operator that it lacks. This takes those operators out, one kind after the other, until
 * the rest of the model loads or fails for another reason, so that one error can name them all.
 *
 * @param attempt tries to load a model, and frees it again
 * @returns the error to throw: `first`, or one that names several operators
 */
export async function withAllLacking(
  first: unknown,
  bytes: Uint8Array,
  operation: string,
  attempt: (bytes: Uint8Array) => Promise<void>,
): Promise<unknown> {
  const lacking: OperatorName[] = [];
  try {
    let rest = bytes;
    for (let error = first; error !== undefined && lacking.length < MOST; ) {
      const found = lackedOperator(error);
      if (found === undefined || lacking.some((known) => sameName(known, found))) break;
      lacking.push(found);
      rest = withoutOperator(rest, found);
      error = await attempt(rest).then(
        () => undefined,
        (next: unknown) => next,
      );
    }
  } catch {
    // What cannot be taken apart is not searched further.
  }
  if (lacking.length < 2) return first;
  const names = lacking.map(({ domain, operator }) => (domain === "" ? operator : `${domain}.${operator}`));
  return new UnsupportedError(
    `${operation}: ${names.length} kinds of operators that the model needs are lacking here: ${names.join(", ")}; ` +
      'try device "cpu", or export the model without them',
    { cause: first },
  );
}

function sameName(a: OperatorName, b: OperatorName): boolean {
  return a.domain === b.domain && a.operator === b.operator;
}

/** What is known of the values of a graph, and the inputs that stand for what was taken out. */
interface Rewriting {
  readonly bytes: Uint8Array;
  readonly lacking: OperatorName;
  readonly types: Map<string, ElementType>;
  readonly inputs: Part[];
}

/** The model with new inputs in place of the results of an operator. */
function withoutOperator(bytes: Uint8Array, lacking: OperatorName): Uint8Array {
  const parts = [...fields(bytes)].map((field): Part => {
    if (field.number !== MODEL.graph) return bytes.subarray(field.begin, field.end);
    const rewriting: Rewriting = { bytes, lacking, types: new Map(), inputs: [] };
    const body = rewritten(rewriting, messageOf(field));
    return lengthField(MODEL.graph, ...body, ...rewriting.inputs);
  });
  return joined(parts);
}

function rewritten(rewriting: Rewriting, graph: Field): Part[] {
  const { bytes, types } = rewriting;
  const parts = [...fields(bytes, graph)];
  for (const part of parts) {
    if (part.number === GRAPH.initializer) {
      const { name, code } = readTensorHeader(bytes, messageOf(part));
      types.set(name, elementTypeOf(code) ?? "float32");
    } else if (part.number === GRAPH.input || part.number === GRAPH.output || part.number === GRAPH.valueInfo) {
      const { name, type } = readValue(bytes, messageOf(part));
      if (type !== undefined) types.set(name, type);
    }
  }
  return parts.flatMap((part) =>
    part.number === GRAPH.node ? node(rewriting, messageOf(part)) : [bytes.subarray(part.begin, part.end)],
  );
}

function node(rewriting: Rewriting, field: Field): Part[] {
  const { bytes, types, lacking } = rewriting;
  const parts = [...fields(bytes, field)];
  const texts = (number: number) => parts.filter((part) => part.number === number).map((part) => textOf(bytes, part));
  const name = { domain: texts(NODE.domain)[0] ?? "", operator: texts(NODE.operator)[0] ?? "" };
  const first = types.get(texts(NODE.input)[0]) ?? "float32";
  const results = texts(NODE.output).filter((output) => output !== "");
  // Where the file does not say, results are taken to be of the type of the first operand.
  for (const output of results) if (!types.has(output)) types.set(output, first);
  if (sameName(name, lacking)) return results.map((output) => standIn(rewriting, output));
  const inner = parts.map((part): Part => {
    if (part.number !== NODE.attribute) return bytes.subarray(part.begin, part.end);
    const content = [...fields(bytes, messageOf(part))].map((own) =>
      own.number === ATTRIBUTE.graph
        ? lengthField(ATTRIBUTE.graph, ...rewritten(rewriting, messageOf(own)))
        : bytes.subarray(own.begin, own.end),
    );
    return lengthField(NODE.attribute, ...content);
  });
  return [lengthField(GRAPH.node, ...inner)];
}

/** A node that gives what a new input of the model is fed with. */
function standIn({ inputs, types }: Rewriting, output: string): Part {
  const name = `instead of ${output}`;
  const declared = { name, type: types.get(output) ?? "float32" };
  inputs.push(lengthField(GRAPH.input, ...valueParts(declared)));
  return lengthField(
    GRAPH.node,
    lengthField(NODE.input, name),
    lengthField(NODE.output, output),
    lengthField(NODE.operator, "Identity"),
  );
}
