import { tensor, UnsupportedError } from "@offprint/tensor-core";
import type { Activation } from "../activation.js";
import { slopeBounds } from "../derivative-bounds.js";
import { type FeedForward, perceptron } from "../feed-forward.js";
import type { FileGraph } from "./file-graph.js";
import { foldConstants } from "./fold-constants.js";
import { type Affine, type FinishedLayer, LayerStack, type NeuronArray } from "./neurons.js";
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
  const last = stack.affine(output.neurons, "fromOnnx: the output");
  return perceptron(
    [...stack.finished.map(({ rows }) => weightsOf(rows)), weightsOf(last)],
    stack.finished.map(layerActivation),
  );
}

function weightsOf(rows: readonly Affine[]) {
  if (rows.length === 0) throw new UnsupportedError("fromOnnx: a layer has no neurons");
  const columns = rows[0].row.length;
  const weight = new Float64Array(rows.length * columns);
  for (const [i, { row }] of rows.entries()) weight.set(row, i * columns);
  return {
    weight: tensor(weight, { shape: [rows.length, columns] }),
    bias: tensor(Float64Array.from(rows, ({ bias }) => bias)),
  };
}

/** The activation that all groups of a layer share; scalar ones of different kinds by their common slopes. */
function layerActivation({ activations: groups }: FinishedLayer): Activation {
  const distinct = new Map(groups.map(({ activation }) => [keyOf(activation), activation]));
  const all = [...distinct.values()];
  if (all.length === 1) return all[0];
  let [alpha, beta] = [Infinity, -Infinity];
  for (const activation of all) {
    if (activation.kind !== "slope" && activation.kind !== "scalar") {
      throw new UnsupportedError(
        "fromOnnx: a layer mixes activations on groups with others; only one kind in a layer is read",
      );
    }
    const { lower, upper } = slopeBounds(activation);
    alpha = Math.min(alpha, lower);
    beta = Math.max(beta, upper);
  }
  return { kind: "slope", alpha, beta };
}

/** Equal for equal activations: JSON would lose infinite parameters. */
function keyOf(activation: Activation): string {
  return JSON.stringify(activation, (_, value) => (typeof value === "number" ? String(value) : value));
}
