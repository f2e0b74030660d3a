import { type Tensor, UnsupportedError } from "@offprint/tensor-core";
import type { Activation } from "../activation.js";
import { clipping } from "./activation-operators.js";
import type { Affine, Neuron, NeuronArray } from "./neurons.js";
import {
  affine,
  constant,
  isNeurons,
  neurons,
  numberAttribute,
  numbers,
  type Operator,
  type OperatorContext,
  type OperatorInput,
} from "./operator.js";
import { broadcastPlace, broadcastShapes, checkedAxis, eachIndex, stridesOf } from "./shapes.js";

// MaxMin and GroupSort, however they are written: an extreme value is one place of a sorted group.

/** Max or Min of several inputs: the last or first of their sorted group. With constants it is a clipping. */
function extreme(inputs: readonly OperatorInput[], context: OperatorContext, last: boolean): OperatorInput[] {
  const { where, stack } = context;
  const given = inputs.filter((x): x is NeuronArray | Tensor => x !== undefined);
  const shape = given.reduce<number[]>((s, x) => broadcastShapes(s, x.shape, where), []);
  const arrays = given.filter(isNeurons);
  if (arrays.length === 0) throw new UnsupportedError(`${where} has no input that is computed`);
  const constants = given.filter((x): x is Tensor => !isNeurons(x));
  if (constants.length > 0 && arrays.length !== 1)
    throw new UnsupportedError(`${where}: a maximum of neurons and constants is not read`);
  // Activations among the inputs become a layer first; all inputs stand on one state.
  const forms = stack.affine(arrays.flatMap((x) => x.neurons));
  let start = 0;
  const own = arrays.map(({ neurons: list }) => {
    start += list.length;
    return forms.slice(start - list.length, start);
  });
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    const sources = arrays.map((x, k) => own[k][broadcastPlace(index, x.shape)]);
    if (constants.length > 0) {
      const limits = constants.map((x) => x.data()[broadcastPlace(index, x.shape)]);
      const act = last
        ? clipping(Math.max(...limits), Infinity, where)
        : clipping(-Infinity, Math.min(...limits), where);
      out.push({ kind: "activated", activation: act, sources, rank: 0 });
    } else out.push(sorted(sources, last ? sources.length - 1 : 0, where));
  });
  return [{ shape, neurons: out }];
}

function sorted(sources: readonly Affine[], rank: number, where: string): Neuron {
  const distinct = [...new Set(sources)];
  if (distinct.length < sources.length && rank > 0 && rank < sources.length - 1) {
    throw new UnsupportedError(`${where} sorts a value together with itself`);
  }
  if (distinct.length === 1) return distinct[0];
  const act: Activation =
    distinct.length === 2 ? { kind: "maxmin" } : { kind: "groupsort", groupSize: distinct.length };
  return {
    kind: "activated",
    activation: act,
    sources: distinct,
    rank: rank === 0 ? 0 : distinct.length - (sources.length - rank),
  };
}

function topK(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const k = numbers(constant(inputs[1], context.where, "k"))[0];
  const axis = checkedAxis(numberAttribute(context, "axis", -1), x.shape.length, context.where);
  const n = x.shape[axis];
  if (!(Number.isInteger(k) && k >= 1 && k <= n)) {
    throw new UnsupportedError(`${context.where} takes ${k} of ${n} values`);
  }
  const largest = numberAttribute(context, "largest", 1) === 1;
  if (numberAttribute(context, "sorted", 1) !== 1)
    throw new UnsupportedError(`${context.where}: values must be sorted`);
  const forms = affine(x, context);
  const strides = stridesOf(x.shape);
  const shape = x.shape.map((extent, a) => (a === axis ? k : extent));
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    const base = index.reduce((place, i, a) => place + (a === axis ? 0 : i * strides[a]), 0);
    const sources = Array.from({ length: n }, (_, i) => forms[base + i * strides[axis]]);
    out.push(sorted(sources, largest ? n - 1 - index[axis] : index[axis], context.where));
  });
  // The second output, the indices, cannot be used by anything that is read.
  return [{ shape, neurons: out }, undefined];
}

/** Operators that compare neurons. */
export const sortingOperators: Readonly<Record<string, Operator>> = {
  Max: (inputs, context) => extreme(inputs, context, true),
  Min: (inputs, context) => extreme(inputs, context, false),
  TopK: topK,
};
