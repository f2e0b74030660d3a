import type { OnnxNode } from "@offprint/onnx-format";
import { type Tensor, tensor, UnsupportedError } from "@offprint/tensor-core";
import { type Activation, activation } from "../activation.js";
import { windowLayout } from "./convolution-layout.js";
import { type Affine, affineCombination, type LayerStack, type Neuron, type NeuronArray } from "./neurons.js";
import { axisOf, broadcastPlace, broadcastShapes, countOf, eachIndex, reshapeTarget, stridesOf } from "./shapes.js";

/** What an operator is given: neurons, a constant, or nothing for an optional input. */
export type OperatorInput = NeuronArray | Tensor | undefined;

/** What operators need besides their inputs. */
export interface OperatorContext {
  readonly node: OnnxNode;
  readonly stack: LayerStack;
  /** The node for error messages. */
  readonly where: string;
}

/** An operator of the graph. */
export type Operator = (inputs: readonly OperatorInput[], context: OperatorContext) => OperatorInput[];

const isNeurons = (x: OperatorInput): x is NeuronArray => x !== undefined && "neurons" in x;

function neurons(x: OperatorInput, { where }: OperatorContext): NeuronArray {
  if (!isNeurons(x)) throw new UnsupportedError(`${where}: its first input does not depend on the network's input`);
  return x;
}

function constant(x: OperatorInput, { where }: OperatorContext, which: string): Tensor {
  if (x === undefined || isNeurons(x)) throw new UnsupportedError(`${where}: ${which} must be a constant`);
  return x;
}

const numbers = (x: Tensor): number[] => Array.from(x.data());
const attribute = <T>({ node }: OperatorContext, name: string, fallback: T): T =>
  (node.attributes[name] as T | undefined) ?? fallback;

/** Carries neurons to new places: `from[k]` is where the k-th comes from. */
function moved(x: NeuronArray, shape: readonly number[], from: (index: readonly number[]) => number): NeuronArray {
  const out: Neuron[] = [];
  eachIndex(shape, (index) => out.push(x.neurons[from(index)]));
  return { shape, neurons: out };
}

function affine(x: NeuronArray, { stack, where }: OperatorContext): readonly Affine[] {
  return stack.affine(x.neurons, where);
}

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
  const shapeOf = (x: OperatorInput): readonly number[] => (x as NeuronArray | Tensor).shape;
  const shape = broadcastShapes(shapeOf(a), shapeOf(b), where);
  // Both sides at once, as a new layer must hold the activations of both.
  const all = [...(isNeurons(a) ? a.neurons : []), ...(isNeurons(b) ? b.neurons : [])];
  const forms = stack.affine(all, where);
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

function scalar(make: (context: OperatorContext, inputs: readonly OperatorInput[]) => Activation): Operator {
  return (inputs, context) => {
    const x = neurons(inputs[0], context);
    const act = make(context, inputs);
    const forms = affine(x, context);
    return [
      {
        shape: x.shape,
        neurons: forms.map((source) => ({ kind: "activated", activation: act, sources: [source], rank: 0 })),
      },
    ];
  };
}

const slope = (alpha: number, beta: number): Activation => ({
  kind: "slope",
  alpha: Math.min(alpha, beta),
  beta: Math.max(alpha, beta),
});

/** Max or Min of several inputs: the last or first of their sorted group. With a constant it is a clipping. */
function extreme(inputs: readonly OperatorInput[], context: OperatorContext, last: boolean): OperatorInput[] {
  const { where, stack } = context;
  const shape = inputs.reduce<number[]>((s, x) => broadcastShapes(s, (x as Tensor).shape, where), []);
  const arrays = inputs.filter(isNeurons);
  const constants = inputs.length - arrays.length;
  if (constants > 0 && arrays.length !== 1)
    throw new UnsupportedError(`${where}: a maximum of neurons and constants is not read`);
  // Activations among the inputs become a layer first; all inputs stand on one state.
  const forms = stack.affine(
    arrays.flatMap((x) => x.neurons),
    where,
  );
  let start = 0;
  const own = arrays.map(({ neurons: list }) => {
    start += list.length;
    return forms.slice(start - list.length, start);
  });
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    const sources = arrays.map((x, k) => own[k][broadcastPlace(index, x.shape)]);
    if (constants > 0) out.push({ kind: "activated", activation: slope(0, 1), sources, rank: 0 });
    else out.push(sorted(sources, last ? sources.length - 1 : 0, where));
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
  const k = numbers(constant(inputs[1], context, "k"))[0];
  const axis = axisOf(attribute(context, "axis", -1), x.shape.length);
  const n = x.shape[axis];
  const largest = attribute<number>(context, "largest", 1) === 1;
  if (attribute<number>(context, "sorted", 1) !== 1)
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

function convolution(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const weight = constant(inputs[1], context, "the weight");
  const bias = inputs[2] === undefined ? undefined : constant(inputs[2], context, "the bias").data();
  const [, channels, ...spatial] = x.shape;
  const [outputs, perGroup, ...kernel] = weight.shape;
  const groups = attribute(context, "group", 1);
  if (spatial.length < 1 || spatial.length > 2 || perGroup * groups !== channels) {
    throw new UnsupportedError(
      `${context.where}: only convolutions of one or two dimensions that fit [${x.shape}] are read`,
    );
  }
  const layout = windowLayout(context.node.attributes, spatial, kernel, context.where);
  const forms = affine(x, context);
  const data = weight.data();
  const [kh, kw] = kernel.length === 1 ? [1, kernel[0]] : kernel;
  const width = spatial[spatial.length - 1];
  const area = countOf(spatial);
  const out: Neuron[] = [];
  for (let o = 0; o < outputs; o++) {
    const first = Math.floor(o / (outputs / groups)) * perGroup;
    for (let i = 0; i < layout.output[0]; i++) {
      for (let j = 0; j < layout.output[1]; j++) {
        const terms: Affine[] = [];
        const factors: number[] = [];
        for (let c = 0; c < perGroup; c++) {
          for (let k = 0; k < kh; k++) {
            for (let l = 0; l < kw; l++) {
              const at = layout.at(i, j, k, l);
              if (at === undefined) continue;
              terms.push(forms[(first + c) * area + at[0] * width + at[1]]);
              factors.push(data[((o * perGroup + c) * kh + k) * kw + l]);
            }
          }
        }
        out.push(affineCombination(terms, factors, bias?.[o] ?? 0, context.stack));
      }
    }
  }
  return [{ shape: [1, outputs, ...layout.output.slice(2 - spatial.length)], neurons: out }];
}

function averagePool(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const [, channels, ...spatial] = x.shape;
  const global = context.node.operator === "GlobalAveragePool";
  const kernel = global ? spatial : (context.node.attributes.kernel_shape as readonly number[]);
  if (spatial.length < 1 || spatial.length > 2)
    throw new UnsupportedError(`${context.where}: only one or two dimensions are read`);
  const layout = windowLayout(global ? {} : context.node.attributes, spatial, kernel, context.where);
  const withPadding = attribute<number>(context, "count_include_pad", 0) === 1;
  const forms = affine(x, context);
  const [kh, kw] = kernel.length === 1 ? [1, kernel[0]] : kernel;
  const width = spatial[spatial.length - 1];
  const out: Neuron[] = [];
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < layout.output[0]; i++) {
      for (let j = 0; j < layout.output[1]; j++) {
        const terms: Affine[] = [];
        for (let k = 0; k < kh; k++) {
          for (let l = 0; l < kw; l++) {
            const at = layout.at(i, j, k, l);
            if (at !== undefined) terms.push(forms[c * countOf(spatial) + at[0] * width + at[1]]);
          }
        }
        const share = 1 / (withPadding ? kh * kw : terms.length);
        out.push(affineCombination(terms, new Float64Array(terms.length).fill(share), 0, context.stack));
      }
    }
  }
  return [{ shape: [1, channels, ...layout.output.slice(2 - spatial.length)], neurons: out }];
}

function batchNormalization(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((k) => constant(inputs[k], context, "its statistics").data());
  const epsilon = attribute(context, "epsilon", 1e-5);
  const forms = affine(x, context);
  const inner = countOf(x.shape.slice(2));
  const out = forms.map((form, place): Neuron => {
    const c = Math.floor(place / inner) % x.shape[1];
    const factor = gamma[c] / Math.sqrt(variance[c] + epsilon);
    return affineCombination([form], [factor], beta[c] - factor * mean[c], context.stack);
  });
  return [{ shape: x.shape, neurons: out }];
}

function slice(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const list = (k: number, name: string): number[] | undefined =>
    inputs[k] === undefined
      ? (context.node.attributes[name] as number[] | undefined)
      : numbers(constant(inputs[k], context, name));
  const starts = list(1, "starts") ?? [];
  const ends = list(2, "ends") ?? [];
  const axes = list(3, "axes") ?? starts.map((_, k) => k);
  const steps = list(4, "steps") ?? starts.map(() => 1);
  const begin = x.shape.map(() => 0);
  const step = x.shape.map(() => 1);
  const shape = [...x.shape];
  for (const [k, given] of axes.entries()) {
    const axis = axisOf(given, x.shape.length);
    const n = x.shape[axis];
    const bound = (value: number, low: number, high: number): number =>
      Math.min(high, Math.max(low, value < 0 ? value + n : value));
    const forward = steps[k] > 0;
    begin[axis] = forward ? bound(starts[k], 0, n) : bound(starts[k], 0, n - 1);
    const end = forward ? bound(ends[k], 0, n) : ends[k] < -n ? -1 : bound(ends[k], -1, n - 1);
    step[axis] = steps[k];
    shape[axis] = Math.max(0, Math.ceil((end - begin[axis]) / steps[k]));
  }
  const strides = stridesOf(x.shape);
  return [moved(x, shape, (index) => index.reduce((place, i, a) => place + (begin[a] + i * step[a]) * strides[a], 0))];
}

function split(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const axis = axisOf(attribute(context, "axis", 0), x.shape.length);
  const parts = context.node.outputs.length;
  const given =
    inputs[1] === undefined
      ? attribute<number[] | undefined>(context, "split", undefined)
      : numbers(constant(inputs[1], context, "split"));
  const even = Math.ceil(x.shape[axis] / parts);
  const sizes = given ?? Array.from({ length: parts }, (_, k) => Math.min(even, x.shape[axis] - k * even));
  const strides = stridesOf(x.shape);
  let start = 0;
  return sizes.map((size) => {
    const first = start;
    start += size;
    const shape = x.shape.map((n, a) => (a === axis ? size : n));
    return moved(x, shape, (index) =>
      index.reduce((place, i, a) => place + (i + (a === axis ? first : 0)) * strides[a], 0),
    );
  });
}

function gather(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const indices = constant(inputs[1], context, "indices");
  const axis = axisOf(attribute(context, "axis", 0), x.shape.length);
  const n = x.shape[axis];
  const places = numbers(indices).map((i) => axisOf(i, n));
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const strides = stridesOf(x.shape);
  const inner = stridesOf(indices.shape);
  return [
    moved(x, shape, (index) => {
      let place = 0;
      for (let a = 0; a < axis; a++) place += index[a] * strides[a];
      const which = inner.reduce((at, step, k) => at + step * index[axis + k], 0);
      place += places[which] * strides[axis];
      for (let a = axis + 1; a < x.shape.length; a++) place += index[a - 1 + indices.shape.length] * strides[a];
      return place;
    }),
  ];
}

function concat(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const arrays = inputs.map((x) => neurons(x, context));
  const rank = arrays[0].shape.length;
  const axis = axisOf(attribute(context, "axis", 0), rank);
  const sizes = arrays.map(({ shape }) => shape[axis]);
  const shape = arrays[0].shape.map((n, a) => (a === axis ? sizes.reduce((sum, size) => sum + size, 0) : n));
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    let which = 0;
    let offset = index[axis];
    while (offset >= sizes[which]) offset -= sizes[which++];
    const own = arrays[which];
    const strides = stridesOf(own.shape);
    out.push(own.neurons[index.reduce((place, i, a) => place + (a === axis ? offset : i) * strides[a], 0)]);
  });
  return [{ shape, neurons: out }];
}

function transpose(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const order = attribute(
    context,
    "perm",
    x.shape.map((_, k) => x.shape.length - 1 - k),
  );
  const strides = stridesOf(x.shape);
  return [
    moved(
      x,
      order.map((a) => x.shape[a]),
      (index) => order.reduce((place, a, k) => place + index[k] * strides[a], 0),
    ),
  ];
}

const reshaped = (x: NeuronArray, shape: readonly number[]): NeuronArray[] => [{ shape, neurons: x.neurons }];

function axesInput(inputs: readonly OperatorInput[], context: OperatorContext): number[] | undefined {
  return inputs[1] === undefined
    ? attribute<number[] | undefined>(context, "axes", undefined)
    : numbers(constant(inputs[1], context, "axes"));
}

function gemm(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const weight = constant(inputs[1], context, "B");
  if (attribute<number>(context, "transA", 0) === 1) throw new UnsupportedError(`${context.where}: transA is not read`);
  const turned = attribute<number>(context, "transB", 0) === 1;
  const alpha = attribute(context, "alpha", 1);
  const [rows, columns] = weight.shape;
  const data = weight.data();
  const [k, n] = turned ? [columns, rows] : [rows, columns];
  const product = linear(x, k, n, (i, j) => alpha * (turned ? data[j * columns + i] : data[i * columns + j]), context);
  return [
    inputs[2] === undefined ? product : weightedSum(product, inputs[2], 1, attribute(context, "beta", 1), context),
  ];
}

function matmul(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const weight = constant(inputs[1], context, "the second factor");
  if (weight.rank !== 2) throw new UnsupportedError(`${context.where}: the second factor must be a matrix`);
  const data = weight.data();
  return [linear(x, weight.shape[0], weight.shape[1], (i, j) => data[i * weight.shape[1] + j], context)];
}

const same: Operator = ([x]) => [x];

function multiplied(inputs: readonly OperatorInput[], context: OperatorContext, invert: boolean): OperatorInput[] {
  const [a, b] = inputs;
  if (isNeurons(a) && isNeurons(b)) {
    throw new UnsupportedError(
      `${context.where} combines two computed values, which is no linear layer and no activation that is read`,
    );
  }
  if (invert || isNeurons(a))
    return [scaledBy(neurons(a, context), constant(b, context, "the factor"), context, invert)];
  return [scaledBy(neurons(b, context), constant(a, context, "the factor"), context)];
}

/** The operators that are read, by name. */
export const operators: Readonly<Record<string, Operator>> = {
  Shape: ([x], context) => {
    const { shape } = x as NeuronArray | Tensor;
    const own = shape.slice(attribute(context, "start", 0), attribute<number | undefined>(context, "end", undefined));
    return [tensor(Int32Array.from(own))];
  },
  Gemm: gemm,
  MatMul: matmul,
  Conv: convolution,
  AveragePool: averagePool,
  GlobalAveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Add: ([a, b], context) => [weightedSum(a, b, 1, 1, context)],
  Sub: ([a, b], context) => [weightedSum(a, b, 1, -1, context)],
  Neg: ([x], context) => [scaledBy(neurons(x, context), minusOne(), context)],
  Mul: (inputs, context) => multiplied(inputs, context, false),
  Div: (inputs, context) => multiplied(inputs, context, true),
  Identity: same,
  Dropout: same,
  Cast: same,
  Flatten: ([x], context) => {
    const own = neurons(x, context);
    const axis = axisOf(attribute(context, "axis", 1), own.shape.length);
    return reshaped(own, [countOf(own.shape.slice(0, axis)), countOf(own.shape.slice(axis))]);
  },
  Reshape: ([x, target], context) => {
    const own = neurons(x, context);
    const wanted = numbers(constant(target, context, "the shape"));
    return reshaped(
      own,
      reshapeTarget(own.shape, wanted, context.where, attribute<number>(context, "allowzero", 0) === 1),
    );
  },
  Squeeze: (inputs, context) => {
    const x = neurons(inputs[0], context);
    const axes = axesInput(inputs, context)?.map((axis) => axisOf(axis, x.shape.length));
    return reshaped(
      x,
      x.shape.filter((n, a) => (axes === undefined ? n !== 1 : !axes.includes(a))),
    );
  },
  Unsqueeze: (inputs, context) => {
    const x = neurons(inputs[0], context);
    const given = axesInput(inputs, context) ?? [];
    const axes = given.map((axis) => axisOf(axis, x.shape.length + given.length)).sort((a, b) => a - b);
    const shape = [...x.shape];
    for (const axis of axes) shape.splice(axis, 0, 1);
    return reshaped(x, shape);
  },
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Gather: gather,
  Concat: concat,
  Max: (inputs, context) => extreme(inputs, context, true),
  Min: (inputs, context) => extreme(inputs, context, false),
  TopK: topK,
  Relu: scalar(() => activation("relu")),
  Tanh: scalar(() => activation("tanh")),
  Sigmoid: scalar(() => activation("sigmoid")),
  Softplus: scalar(() => activation("softplus")),
  Softsign: scalar(() => slope(0, 1)),
  Abs: scalar(() => activation("abs")),
  Gelu: scalar(() => activation("gelu")),
  Clip: scalar(() => slope(0, 1)),
  LeakyRelu: scalar((context) => slope(attribute(context, "alpha", 0.01), 1)),
  PRelu: (inputs, context) => {
    const values = numbers(constant(inputs[1], context, "the slope"));
    return scalar(() => slope(Math.min(1, ...values), Math.max(1, ...values)))(inputs, context);
  },
  ThresholdedRelu: (_, { where }) => {
    throw new UnsupportedError(`${where} is not continuous and has no Lipschitz constant`);
  },
  Elu: scalar((context) => slope(0, Math.max(1, attribute(context, "alpha", 1)))),
  Celu: scalar(() => slope(0, 1)),
  Selu: scalar((context) => {
    const [alpha, gamma] = [attribute(context, "alpha", 1.6732633), attribute(context, "gamma", 1.0507011)];
    return slope(0, gamma * Math.max(1, alpha));
  }),
  HardSigmoid: scalar((context) => slope(0, attribute(context, "alpha", 0.2))),
};

function minusOne(): Tensor {
  return tensor(-1, { dtype: "float64" });
}
