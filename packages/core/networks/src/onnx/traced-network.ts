import { tensor, UnsupportedError } from "@offprint/tensor-core";
import type { Activation, ScalarActivation } from "../activation.js";
import { type FeedForward, perceptron } from "../feed-forward.js";
import type { FileGraph } from "./file-graph.js";
import { foldConstants } from "./fold-constants.js";
import { type Affine, deepest, LayerStack, type NeuronArray, type TracedLayer } from "./neurons.js";
import { isNeurons, type OperatorInput } from "./operator.js";
import { operators } from "./operators.js";
import { countOf } from "./shapes.js";

/**
 * Reads any feed-forward network by following every neuron of one sample through the graph: linear operators are multiplied
 * out, and activations on groups are found however they are sliced, stacked and reshaped.
 *
 * @throws UnsupportedError for what is no feed-forward network
 */
export function tracedNetwork({ shape, input, output, constants, nodes }: FileGraph): FeedForward {
  const stack = new LayerStack(countOf(shape));
  const values = new Map<string, OperatorInput>(constants);
  values.set(input, { shape, neurons: stack.state() });
  for (const { node, where, inputsFrom, run } of nodes) {
    const inputs = inputsFrom(values);
    const context = { node, stack, where };
    const operator = operators[node.operator];
    const known = inputs.length > 0 && !inputs.some(isNeurons) && node.operator !== "Shape";
    const outputs = run(() => (known ? foldConstants(operator, inputs, context) : operator(inputs, context)));
    for (const [k, name] of node.outputs.entries()) if (name !== "") values.set(name, outputs[k]);
  }
  const computed = values.get(output);
  if (!isNeurons(computed)) {
    throw new UnsupportedError(`fromOnnx: output "${output}" does not depend on the input`);
  }
  return assembled(stack, computed);
}

function assembled(stack: LayerStack, output: NeuronArray): FeedForward {
  const last = stack.affine(output.neurons);
  // What no output depends on stands in layers behind the last one.
  const layers = stack.layers.slice(0, deepest(last));
  return perceptron(
    [...layers.map(({ rows }, k) => weightsOf(rows, stack.sizeAt(k))), weightsOf(last, stack.sizeAt(layers.length))],
    layers.map(layerActivation),
  );
}

function weightsOf(rows: readonly Affine[], columns: number) {
  if (rows.length === 0) throw new UnsupportedError("fromOnnx: a layer has no neurons");
  const weight = new Float64Array(rows.length * columns);
  for (const [i, { row }] of rows.entries()) weight.set(row, i * columns);
  return {
    weight: tensor(weight, { shape: [rows.length, columns] }),
    bias: tensor(Float64Array.from(rows, ({ bias }) => bias)),
  };
}

/** The activation of a layer: one for all groups, or scalar ones neuron by neuron. */
function layerActivation({ activations: groups }: TracedLayer): Activation {
  const [first, ...rest] = groups.map(({ activation }) => activation);
  if (rest.every((each) => keyOf(each) === keyOf(first))) return first;
  const parts: { activation: ScalarActivation; count: number }[] = [];
  for (const { activation } of groups) {
    if (activation.kind !== "scalar") {
      throw new UnsupportedError(
        "fromOnnx: a layer has activations on groups (MaxMin, GroupSort) beside others or beside values that skip it; beside those only scalar activations are read",
      );
    }
    const last = parts[parts.length - 1];
    if (last !== undefined && keyOf(last.activation) === keyOf(activation)) last.count++;
    else parts.push({ activation, count: 1 });
  }
  return { kind: "mixed", parts };
}

/** Equal for equal activations: JSON would lose infinite parameters. */
function keyOf(activation: Activation): string {
  return JSON.stringify(activation, (_, value) => (typeof value === "number" ? String(value) : value));
}
