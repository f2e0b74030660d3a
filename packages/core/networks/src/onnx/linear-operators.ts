import { type Tensor, tensor, UnsupportedError } from "@offprint/tensor-core";
import { gatedBy } from "./activation-operators.js";
import { largestOf } from "./largest.js";
import { type Affine, affineCombination, type Neuron, type NeuronArray } from "./neurons.js";
import {
  affine,
  constant,
  isNeurons,
  listAttribute,
  neurons,
  numberAttribute,
  numbers,
  type Operator,
  type OperatorContext,
  type OperatorInput,
  requireFixedStatistics,
} from "./operator.js";
import { broadcastPlace, broadcastShapes, checkedAxis, countOf, eachIndex } from "./shapes.js";

// Products and sums: one matrix is constant, the other holds affine forms.

/** x W (+ bias) for x `[..., k]` and a constant W `[k, n]` given by its entries. */
function linear(
  x: NeuronArray,
  k: number,
  n: number,
  weight: (i: number, j: number) => number,
  context: OperatorContext,
): NeuronArray {
  const forms = affine(x, context);
  const rows = countOf(x.shape) / k;
  if (x.shape[x.shape.length - 1] !== k) {
    throw new UnsupportedError(`${context.where}: ${k} inputs expected, one sample has shape [${x.shape}]`);
  }
  const columns = Array.from({ length: n }, (_, j) => Float64Array.from({ length: k }, (_, i) => weight(i, j)));
  const out: Neuron[] = [];
  for (let r = 0; r < rows; r++) {
    const own = forms.slice(r * k, (r + 1) * k);
    for (const column of columns) out.push(affineCombination(own, column, 0, context.stack));
  }
  return { shape: [...x.shape.slice(0, -1), n], neurons: out };
}

/** Sum of multiples of neurons and constants, with broadcasting. */
function weightedSum(
  a: OperatorInput,
  b: OperatorInput,
  alpha: number,
  beta: number,
  context: OperatorContext,
): NeuronArray {
  const { stack, where } = context;
  const shapeOf = (x: OperatorInput): readonly number[] => {
    if (x !== undefined) return x.shape;
    throw new UnsupportedError(`${where}: an input is missing`);
  };
  const shape = broadcastShapes(shapeOf(a), shapeOf(b), where);
  // Both sides at once: they must stand on one state.
  const all = [...(isNeurons(a) ? a.neurons : []), ...(isNeurons(b) ? b.neurons : [])];
  const forms = stack.affine(all);
  const split = isNeurons(a) ? a.neurons.length : 0;
  const formsA = forms.slice(0, split);
  const formsB = forms.slice(split);
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    const terms: Affine[] = [];
    const factors: number[] = [];
    let bias = 0;
    for (const [x, own, factor] of [[a, formsA, alpha] as const, [b, formsB, beta] as const]) {
      const place = broadcastPlace(index, shapeOf(x));
      if (isNeurons(x)) {
        terms.push(own[place]);
        factors.push(factor);
      } else bias += factor * (x as Tensor).data()[place];
    }
    out.push(affineCombination(terms, factors, bias, stack));
  });
  return { shape, neurons: out };
}

/** Neurons times constants, with broadcasting. */
function scaledBy(x: NeuronArray, factors: Tensor, context: OperatorContext, invert = false): NeuronArray {
  const forms = affine(x, context);
  const shape = broadcastShapes(x.shape, factors.shape, context.where);
  const data = factors.data();
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    const factor = data[broadcastPlace(index, factors.shape)];
    out.push(
      affineCombination([forms[broadcastPlace(index, x.shape)]], [invert ? 1 / factor : factor], 0, context.stack),
    );
  });
  return { shape, neurons: out };
}

/** Sum of any number of inputs times a number. */
const summed =
  (mean: boolean): Operator =>
  (inputs, context) => {
    const [first, ...rest] = inputs;
    const total = rest.reduce((sum, x) => weightedSum(sum, x, 1, 1, context), first);
    return [mean ? scaledBy(neurons(total, context), tensor(1 / inputs.length, { dtype: "float64" }), context) : total];
  };

function gemm(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const weight = constant(inputs[1], context.where, "B");
  if (weight.rank !== 2) throw new UnsupportedError(`${context.where}: B must be a matrix`);
  if (numberAttribute(context, "transA", 0) === 1) throw new UnsupportedError(`${context.where}: transA is not read`);
  const turned = numberAttribute(context, "transB", 0) === 1;
  const alpha = numberAttribute(context, "alpha", 1);
  const [rows, columns] = weight.shape;
  const data = weight.data();
  const [k, n] = turned ? [columns, rows] : [rows, columns];
  const product = linear(x, k, n, (i, j) => alpha * (turned ? data[j * columns + i] : data[i * columns + j]), context);
  return [
    inputs[2] === undefined
      ? product
      : weightedSum(product, inputs[2], 1, numberAttribute(context, "beta", 1), context),
  ];
}

function matmul(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const weight = constant(inputs[1], context.where, "the second factor");
  if (weight.rank !== 2) throw new UnsupportedError(`${context.where}: the second factor must be a matrix`);
  const data = weight.data();
  return [linear(x, weight.shape[0], weight.shape[1], (i, j) => data[i * weight.shape[1] + j], context)];
}

/** x sigmoid(x), as exporters write SiLU, and x hardSigmoid(x) for HardSwish. */
function gated(x: NeuronArray, gate: NeuronArray): NeuronArray | undefined {
  const own = x.neurons.length === gate.neurons.length ? gate.neurons : [];
  const out: Neuron[] = [];
  for (const [k, source] of x.neurons.entries()) {
    const neuron = own[k];
    const product =
      neuron?.kind === "activated" && neuron.sources[0] === source ? gatedBy(neuron.activation) : undefined;
    if (product === undefined || source.kind !== "affine") return undefined;
    out.push({ kind: "activated", activation: product, sources: [source], rank: 0 });
  }
  return { shape: x.shape, neurons: out };
}

function multiplied(inputs: readonly OperatorInput[], context: OperatorContext, invert: boolean): OperatorInput[] {
  const [a, b] = inputs;
  if (isNeurons(a) && isNeurons(b)) {
    const product = invert ? undefined : (gated(a, b) ?? gated(b, a));
    if (product !== undefined) return [product];
    throw new UnsupportedError(
      `${context.where} combines two computed values, which is no linear layer and no activation that is read`,
    );
  }
  if (invert || isNeurons(a))
    return [scaledBy(neurons(a, context), constant(b, context.where, "the factor"), context, invert)];
  return [scaledBy(neurons(b, context), constant(a, context.where, "the factor"), context)];
}

function batchNormalization(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  requireFixedStatistics(context);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((k) =>
    constant(inputs[k], context.where, "its statistics").data(),
  );
  const epsilon = numberAttribute(context, "epsilon", 1e-5);
  const forms = affine(x, context);
  const inner = countOf(x.shape.slice(2));
  if (x.shape.length < 2 || [gamma, beta, mean, variance].some(({ length }) => length !== x.shape[1])) {
    throw new UnsupportedError(`${context.where}: its statistics do not fit samples of shape [${x.shape}]`);
  }
  const out = forms.map((form, place): Neuron => {
    const c = Math.floor(place / inner) % x.shape[1];
    const factor = gamma[c] / Math.sqrt(variance[c] + epsilon);
    return affineCombination([form], [factor], beta[c] - factor * mean[c], context.stack);
  });
  return [{ shape: x.shape, neurons: out }];
}

/** The forms that are reduced together: over axes given as an input, or in old files as an attribute. */
function reductionGroups(inputs: readonly OperatorInput[], context: OperatorContext) {
  const x = neurons(inputs[0], context);
  const given =
    inputs[1] === undefined ? listAttribute(context, "axes") : numbers(constant(inputs[1], context.where, "the axes"));
  if (given === undefined || given.length === 0) {
    throw new UnsupportedError(`${context.where}: it has no axes, and the axis of the samples cannot be reduced`);
  }
  const axes = given.map((axis) => checkedAxis(axis, x.shape.length, context.where));
  if (axes.includes(0)) throw new UnsupportedError(`${context.where}: the axis of the samples cannot be reduced`);
  const forms = affine(x, context);
  const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const groups = Array.from({ length: countOf(kept) }, (): Affine[] => []);
  eachIndex(x.shape, (index, place) => groups[broadcastPlace(index, kept)].push(forms[place]));
  const keep = numberAttribute(context, "keepdims", 1) === 1;
  return { shape: keep ? kept : kept.filter((_, axis) => !axes.includes(axis)), groups };
}

/** Sums or means over axes. */
const reduced =
  (mean: boolean): Operator =>
  (inputs, context) => {
    const { shape, groups } = reductionGroups(inputs, context);
    const out = groups.map((own) =>
      affineCombination(own, new Float64Array(own.length).fill(mean ? 1 / own.length : 1), 0, context.stack),
    );
    return [{ shape, neurons: out }];
  };

/** The largest over axes, or the least: that of the mirror images. */
const extremeOver =
  (sign: 1 | -1): Operator =>
  (inputs, context) => {
    const { stack } = context;
    const { shape, groups } = reductionGroups(inputs, context);
    const turned = (form: Affine) => (sign === 1 ? form : affineCombination([form], [-1], 0, stack));
    const largest = largestOf(
      groups.map((own) => own.map(turned)),
      stack,
    );
    return [{ shape, neurons: largest.map(turned) }];
  };

function minusOne(): Tensor {
  return tensor(-1, { dtype: "float64" });
}

/** Operators that multiply and add. */
export const linearOperators: Readonly<Record<string, Operator>> = {
  Gemm: gemm,
  MatMul: matmul,
  BatchNormalization: batchNormalization,
  ReduceSum: reduced(false),
  ReduceMean: reduced(true),
  ReduceMax: extremeOver(1),
  ReduceMin: extremeOver(-1),
  Add: ([a, b], context) => [weightedSum(a, b, 1, 1, context)],
  Sum: summed(false),
  Mean: summed(true),
  Sub: ([a, b], context) => [weightedSum(a, b, 1, -1, context)],
  Neg: ([x], context) => [scaledBy(neurons(x, context), minusOne(), context)],
  Mul: (inputs, context) => multiplied(inputs, context, false),
  Div: (inputs, context) => multiplied(inputs, context, true),
};
