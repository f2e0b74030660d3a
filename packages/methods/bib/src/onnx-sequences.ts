import { type OnnxGraph, type OnnxValue, readOnnxGraph } from "@offprint/onnx-format";
import {
  asTensor,
  checkOptions,
  matmul,
  ones,
  requireChoice,
  requireObject,
  reshape,
  ShapeError,
  type Tensor,
  type TensorLike,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { dna } from "./alphabet.js";
import { onnxOperators } from "./onnx/operators.js";
import { type Pooling, pooled, poolings } from "./pooling.js";
import type { RelaxedModel } from "./relaxed-model.js";

/** Weights of a file by their names. */
export type OnnxParameters = Readonly<Record<string, Tensor>>;

/** Options of {@link onnxSequences}. */
export interface OnnxSequencesOptions {
  /** Letters, in the order of the one-hot entries, or of the rows of `embeddings`. Default {@link dna}. */
  readonly alphabet?: readonly string[];
  /** The embeddings of the letters, `[V, d]`, for files whose input `inputs_embeds` takes embedded letters. Default none: the input takes one-hot rows. */
  readonly embeddings?: TensorLike;
  /** Name of that input. Default `one_hot`, `inputs_embeds`, or the only one. */
  readonly input?: string;
  /** Name of the output: features `[B, L, d]`, or `[B, d]`, which are not pooled. Default the first. */
  readonly output?: string;
  /** Default `mean`. */
  readonly pool?: Pooling;
}

const owner = "onnxSequences";

/**
 * A language model of one's own in an .onnx file, entered by one-hot rows `[B, L, V]` or by embedded letters `[B, L, d]`. Its operators become
 * operations of tensors, so that features have gradients in the letters and compile for any backend. An input
 * `attention_mask` is 1 everywhere.
 * @param bytes the file, or its graph: `readOnnxGraph` reads one with weights in a file beside it
 * @throws FormatError for bytes that are no such file; UnsupportedError, naming it, for an operator that encoders do not have; ValueError for a file
 * that takes tokens, through which no gradient comes.
 * @example
 * ```ts no-run
 * import { readFile } from "node:fs/promises";
 * import { onnxSequences } from "@offprint/bib";
 *
 * const model = onnxSequences(await readFile("encoder.onnx"), { alphabet: ["A", "C", "G", "T"] });
 * ```
 */
export function onnxSequences(
  bytes: Uint8Array | OnnxGraph,
  options: OnnxSequencesOptions = {},
): RelaxedModel<OnnxParameters> {
  requireObject("onnxSequences", "bytes", bytes, "a Uint8Array or an OnnxGraph");
  checkOptions(owner, options, ["alphabet", "embeddings", "input", "output", "pool"]);
  const { alphabet = dna, pool = "mean" } = options;
  requireChoice(owner, "pool", pool, poolings);
  const graph = bytes instanceof Uint8Array ? readOnnxGraph(bytes) : bytes;
  const input = inputOf(graph, options.input);
  const output = options.output ?? graph.outputs[0]?.name;
  if (!graph.outputs.some(({ name }) => name === output)) {
    const known = graph.outputs.map(({ name }) => name).join(", ");
    throw new ValueError(`${owner}: there is no output "${output}"; the file has ${known}`);
  }
  for (const { operator, domain, name } of graph.nodes) {
    if (Object.hasOwn(onnxOperators, operator) && domain === "") continue;
    throw new UnsupportedError(`${owner}: the operator ${operator} of node "${name}" is not carried out`);
  }
  const embeddings = options.embeddings === undefined ? undefined : asTensor(options.embeddings, "float32");
  if (embeddings !== undefined && (embeddings.rank !== 2 || embeddings.shape[0] !== alphabet.length)) {
    throw new ShapeError(`${owner}: embeddings has shape [${embeddings.shape}]; give [${alphabet.length}, d]`);
  }
  const [, length, width] = input.shape ?? [];
  if (embeddings === undefined && typeof width === "number" && width !== alphabet.length) {
    throw new ShapeError(
      `${owner}: the input "${input.name}" takes ${width} numbers a letter, and the alphabet has ${alphabet.length} letters; give the alphabet ` +
        "that the file was exported with, or embeddings",
    );
  }
  const entered = (oneHot: Tensor): Tensor => {
    if (typeof length === "number" && oneHot.shape[1] !== length) {
      throw new ShapeError(
        `${owner}: the sequences have ${oneHot.shape[1]} letters, and the file was exported for ${length}`,
      );
    }
    const rows = input.type === "float64" ? oneHot : oneHot.cast("float32");
    if (embeddings === undefined) return rows;
    const [b, places, width] = rows.shape;
    return reshape(matmul(reshape(rows, [b * places, width]), embeddings), [b, places, -1]);
  };
  const weights = Object.entries(graph.constants).filter(([, { dtype, size }]) => dtype === "float32" && size > 1);
  return {
    alphabet,
    parameters: Object.fromEntries(weights),
    features(oneHot, parameters) {
      const values = new Map<string, Tensor>([...Object.entries(graph.constants), ...Object.entries(parameters)]);
      for (const { name } of graph.inputs) {
        if (name === "attention_mask") values.set(name, ones(oneHot.shape.slice(0, 2), "int32"));
      }
      values.set(input.name, entered(oneHot));
      const hidden = carriedOut(graph, values).get(output);
      if (hidden === undefined) throw new ValueError(`${owner}: no node gives the output "${output}"`);
      return (hidden.rank === 2 ? hidden : pooled(hidden, pool, false)).cast(oneHot.dtype);
    },
  };
}

function inputOf({ inputs }: OnnxGraph, given: string | undefined): OnnxValue {
  const own = inputs.filter(({ name }) => name !== "attention_mask");
  const found =
    given === undefined
      ? (own.find(({ name }) => name === "one_hot" || name === "inputs_embeds") ?? own[0])
      : own.find(({ name }) => name === given);
  const names = inputs.map(({ name }) => name).join(", ");
  if (found === undefined) throw new ValueError(`${owner}: there is no input "${given}"; the file has ${names}`);
  if (own.length > 1) {
    throw new ValueError(`${owner}: the file has the inputs ${names}; export it with one beside attention_mask`);
  }
  if (found.type === "float32" || found.type === "float64" || found.type === undefined) return found;
  throw new ValueError(
    `${owner}: the input "${found.name}" takes ${found.type}, tokens, through which no gradient in the letters comes: export the model from ` +
      "one-hot rows times its table of embeddings (one_hot), or from embedded letters (inputs_embeds) and give embeddings",
  );
}

/** All values of a graph. */
function carriedOut({ nodes }: OnnxGraph, values: Map<string, Tensor>): Map<string, Tensor> {
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : values.get(name)));
    const missing = node.inputs.find((name, i) => name !== "" && inputs[i] === undefined);
    if (missing !== undefined)
      throw new ValueError(`${owner}: ${node.operator} takes "${missing}", which nothing gives`);
    const made = onnxOperators[node.operator](inputs as Tensor[], node, inputs);
    const results = Array.isArray(made) ? made : [made];
    for (const [i, name] of node.outputs.entries()) if (results[i] !== undefined) values.set(name, results[i]);
  }
  return values;
}
