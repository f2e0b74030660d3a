import { type Tensor, tensor, UnsupportedError } from "@offprint/tensor-core";
import type { Affine, NeuronArray } from "./neurons.js";
import { constant, isNeurons, type Operator, type OperatorContext, type OperatorInput } from "./operator.js";
import { broadcastPlace, broadcastShapes, eachIndex } from "./shapes.js";

/**
 * Runs an operator on constants, as exporters compute shapes and slices from the shape of the input: its first inputs
 * pass through it as neurons that do not depend on anything, and come out as constants again.
 */
export function foldConstants(
  operator: Operator,
  inputs: readonly OperatorInput[],
  context: OperatorContext,
): OperatorInput[] {
  const tensors = inputs as readonly (Tensor | undefined)[];
  const whole = tensors.every((x) => x === undefined || x.dtype === "int32" || x.dtype === "bool");
  if (tensors[0] === undefined) throw new UnsupportedError(`${context.where}: its first input is missing`);
  if (context.node.operator === "Div")
    return [quotient(tensors[0], constant(tensors[1], context.where, "the divisor"), whole, context)];
  // Concat moves all its inputs; the others take indices, axes or factors besides.
  const moved = context.node.operator === "Concat" ? tensors.length : 1;
  const given = tensors.map((x, k) => (k < moved && x !== undefined ? asNeurons(x, context) : x));
  return operator(given, context).map((x) => (isNeurons(x) ? asConstant(x, whole, context) : x));
}

function asNeurons(x: Tensor, { stack }: OperatorContext): NeuronArray {
  const row = stack.row(0);
  const neurons = Array.from(x.data(), (bias): Affine => ({ kind: "affine", depth: 0, row, bias }));
  return { shape: x.shape, neurons };
}

function asConstant({ shape, neurons }: NeuronArray, whole: boolean, { where }: OperatorContext): Tensor {
  const values = Float64Array.from(neurons, (neuron) => {
    if (neuron.kind === "affine") return neuron.bias;
    throw new UnsupportedError(`${where}: activations of constants are not read; export with constants folded`);
  });
  return tensor(whole ? Int32Array.from(values) : values, { shape });
}

/** Integers divide towards zero. */
function quotient(a: Tensor, b: Tensor, whole: boolean, { where }: OperatorContext): Tensor {
  const shape = broadcastShapes(a.shape, b.shape, where);
  const values: number[] = [];
  eachIndex(shape, (index) => {
    const value = a.data()[broadcastPlace(index, a.shape)] / b.data()[broadcastPlace(index, b.shape)];
    values.push(whole ? Math.trunc(value) : value);
  });
  return tensor(whole ? Int32Array.from(values) : Float64Array.from(values), { shape });
}
