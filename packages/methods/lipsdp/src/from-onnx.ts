import { type OnnxGraph, readOnnxGraph } from "@offprint/onnx-format";
import { tensor, UnsupportedError } from "@offprint/tensor-core";
import type { Activation } from "./activation.js";
import type { FeedForwardNetwork } from "./network.js";
import { foldConstants } from "./onnx/fold-constants.js";
import { type Affine, LayerStack, type NeuronArray } from "./onnx/neurons.js";
import { type OperatorInput, operators } from "./onnx/operators.js";
import { countOf } from "./onnx/shapes.js";

/**
 * Reads a feed-forward network from an .onnx file. The graph is followed for one sample: linear operators (Gemm, MatMul,
 * Add, Conv, ...) are multiplied out in float64, scalar activations are known by name, and MaxMin and GroupSort are found
 * however they are written with Max, Min, TopK and movements.
 *
 * @param model the bytes of the file, or a graph from `readOnnxGraph`
 * @throws FormatError for bytes that are no ONNX model; UnsupportedError, naming the operator, for anything that is not
 * such a network
 */
export function fromOnnx(model: Uint8Array | OnnxGraph): FeedForwardNetwork {
  const graph = model instanceof Uint8Array ? readOnnxGraph(model) : model;
  if (graph.inputs.length !== 1) {
    throw new UnsupportedError(
      `fromOnnx: the model has ${graph.inputs.length} inputs; only networks with one are read`,
    );
  }
  const input = graph.inputs[0];
  const shape = inputShape(input.name, input.shape);
  const stack = new LayerStack(countOf(shape));
  const values = new Map<string, OperatorInput>(Object.entries(graph.constants));
  values.set(input.name, { shape, neurons: stack.state() });
  for (const node of graph.nodes) runNode(node, stack, values);
  const output = values.get(graph.outputs[0].name);
  if (output === undefined || !("neurons" in output)) {
    throw new UnsupportedError(`fromOnnx: output "${graph.outputs[0].name}" does not depend on the input`);
  }
  return assemble(stack, output);
}

/** The shape of one sample: a first axis of any extent is the batch. */
function inputShape(name: string, shape: readonly (number | string)[] | undefined): number[] {
  if (shape === undefined || shape.length === 0) {
    throw new UnsupportedError(`fromOnnx: the file does not say the shape of input "${name}"; export with shapes`);
  }
  const [batch, ...rest] = shape;
  const single = shape.length === 1 && typeof batch === "number";
  if (!single && typeof batch === "number" && batch !== 1) {
    throw new UnsupportedError(
      `fromOnnx: input "${name}" has a fixed batch of ${batch}; export with batch size 1 or any`,
    );
  }
  const free = rest.find((extent) => typeof extent !== "number");
  if (free !== undefined || (shape.length === 1 && !single)) {
    throw new UnsupportedError(`fromOnnx: input "${name}" has shape [${shape.join(", ")}]; only the batch may be free`);
  }
  return single ? [batch] : [1, ...(rest as number[])];
}

function runNode(node: OnnxGraph["nodes"][number], stack: LayerStack, values: Map<string, OperatorInput>): void {
  const label = node.name === "" ? node.operator : `${node.operator} "${node.name}"`;
  const where = `fromOnnx: ${label}`;
  if (node.operator === "Constant" && node.domain === "") {
    values.set(node.outputs[0], constantOf(node, where));
    return;
  }
  const operator = node.domain === "" && Object.hasOwn(operators, node.operator) ? operators[node.operator] : undefined;
  if (operator === undefined) {
    const domain = node.domain === "" ? "" : `${node.domain}.`;
    throw new UnsupportedError(
      `fromOnnx: the operator ${domain}${label} is not read; a network may have ${Object.keys(operators).join(", ")}`,
    );
  }
  const inputs = node.inputs.map((name) => {
    if (name === "") return undefined;
    const value = values.get(name);
    if (value === undefined) throw new UnsupportedError(`${where}: its input "${name}" is nothing that is read`);
    return value;
  });
  const context = { node, stack, where };
  const known = inputs.every((value) => value === undefined || !("neurons" in value));
  const outputs =
    known && inputs.length > 0 && node.operator !== "Shape"
      ? foldConstants(operator, inputs, context)
      : operator(inputs, context);
  for (const [k, name] of node.outputs.entries()) if (name !== "") values.set(name, outputs[k]);
}

function constantOf(node: OnnxGraph["nodes"][number], where: string): OperatorInput {
  const { value, value_float: float, value_int: int, value_floats: floats, value_ints: ints } = node.attributes;
  if (value !== undefined) return value as OperatorInput;
  if (float !== undefined || int !== undefined) return tensor((float ?? int) as number, { dtype: "float64" });
  if (floats !== undefined || ints !== undefined) return tensor(Float64Array.from((floats ?? ints) as number[]));
  throw new UnsupportedError(`${where}: a constant of this kind is not read`);
}

function assemble(stack: LayerStack, output: NeuronArray): FeedForwardNetwork {
  const last = stack.affine(output.neurons, "fromOnnx: the output");
  const layers = [...stack.finished.map(({ rows }) => layerOf(rows)), layerOf(last)];
  const activations = stack.finished.map(({ activations: own }) => layerActivation(own));
  return { kind: "feedforward", layers, activation: activations };
}

function layerOf(rows: readonly Affine[]) {
  const columns = rows[0].row.length;
  const weight = new Float64Array(rows.length * columns);
  for (const [i, { row }] of rows.entries()) weight.set(row, i * columns);
  return {
    weight: tensor(weight, { shape: [rows.length, columns] }),
    bias: tensor(Float64Array.from(rows, ({ bias }) => bias)),
  };
}

/** The activation that all groups of a layer share; scalar ones of different slopes by their common range. */
function layerActivation(groups: readonly { readonly activation: Activation; readonly size: number }[]): Activation {
  const first = groups[0].activation;
  if (groups.every(({ activation }) => JSON.stringify(activation) === JSON.stringify(first))) return first;
  let [alpha, beta] = [Infinity, -Infinity];
  for (const { activation } of groups) {
    if (activation.kind !== "slope") {
      throw new UnsupportedError(
        "fromOnnx: a layer mixes activations on groups with others; only one kind in a layer is read",
      );
    }
    alpha = Math.min(alpha, activation.alpha);
    beta = Math.max(beta, activation.beta);
  }
  return { kind: "slope", alpha, beta };
}
