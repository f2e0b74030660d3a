import { UnsupportedError } from "@offprint/tensor-core";
import { largestOf } from "./largest.js";
import { type Affine, affineCombination, type Neuron } from "./neurons.js";
import {
  affine,
  constant,
  listAttribute,
  neurons,
  numberAttribute,
  type Operator,
  type OperatorContext,
  type OperatorInput,
} from "./operator.js";
import { checkedCount, countOf } from "./shapes.js";
import { paddings, type WindowLayout, windowLayout, windowList, windowTaps } from "./window-layout.js";

/** Weight `[first, second, ...kernel]`, bias and groups of a convolution that fits its input. */
function kernelsOf(inputs: readonly OperatorInput[], context: OperatorContext, channelAxis: number) {
  const x = neurons(inputs[0], context);
  const weight = constant(inputs[1], context.where, "the weight");
  const bias = inputs[2] === undefined ? undefined : constant(inputs[2], context.where, "the bias").data();
  const groups = numberAttribute(context, "group", 1);
  const expected = channelAxis === 0 ? weight.shape[0] : weight.shape[1] * groups;
  if (
    x.shape.length < 3 ||
    weight.rank !== x.shape.length ||
    expected !== x.shape[1] ||
    weight.shape[0] % groups !== 0
  ) {
    throw new UnsupportedError(
      `${context.where}: kernels of shape [${weight.shape}] in ${groups} groups do not fit samples of shape [${x.shape}]`,
    );
  }
  return { x, data: weight.data(), shape: weight.shape, bias, groups };
}

function convolution(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const { x, data, shape, bias, groups } = kernelsOf(inputs, context, 1);
  const [outputs, perGroup, ...kernel] = shape;
  const layout = windowLayout(context, x.shape.slice(2), kernel);
  const windows = windowTaps(layout);
  const forms = affine(x, context);
  const [area, size] = [countOf(layout.input), countOf(kernel)];
  const out: Neuron[] = [];
  for (let o = 0; o < outputs; o++) {
    const first = Math.floor(o / (outputs / groups)) * perGroup;
    for (const taps of windows) {
      const terms: Affine[] = [];
      const factors: number[] = [];
      for (let c = 0; c < perGroup; c++) {
        for (const tap of taps) {
          if (tap.input === undefined) continue;
          terms.push(forms[(first + c) * area + tap.input]);
          factors.push(data[(o * perGroup + c) * size + tap.kernel]);
        }
      }
      out.push(affineCombination(terms, factors, bias?.[o] ?? 0, context.stack));
    }
  }
  return [{ shape: [1, outputs, ...layout.output], neurons: out }];
}

/** A convolution backwards: each input adds multiples of the kernel to the outputs that it would have been read from. */
function transposedConvolution(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const { x, data, shape, bias, groups } = kernelsOf(inputs, context, 0);
  const [channels, perGroup, ...kernel] = shape;
  const layout = transposedLayout(context, x.shape.slice(2), kernel);
  const windows = windowTaps(layout);
  const forms = affine(x, context);
  const [area, size] = [countOf(layout.output), countOf(kernel)];
  const places = checkedCount([groups * perGroup, ...layout.input]);
  const sums = Array.from({ length: places }, () => ({ terms: [] as Affine[], factors: [] as number[] }));
  for (let c = 0; c < channels; c++) {
    const first = Math.floor(c / (channels / groups)) * perGroup;
    for (let o = 0; o < perGroup; o++) {
      for (const [at, taps] of windows.entries()) {
        for (const tap of taps) {
          if (tap.input === undefined) continue;
          const { terms, factors } = sums[(first + o) * countOf(layout.input) + tap.input];
          terms.push(forms[c * area + at]);
          factors.push(data[(c * perGroup + o) * size + tap.kernel]);
        }
      }
    }
  }
  const out = sums.map(({ terms, factors }, place) => {
    const own = bias?.[Math.floor(place / countOf(layout.input))] ?? 0;
    return affineCombination(terms, factors, own, context.stack);
  });
  return [{ shape: [1, groups * perGroup, ...layout.input], neurons: out }];
}

/** The layout of the convolution that is turned round: its input is the output. */
function transposedLayout(context: OperatorContext, small: readonly number[], kernel: readonly number[]): WindowLayout {
  const rank = small.length;
  const strides = windowList(context, "strides", rank, 1, 1);
  const dilations = windowList(context, "dilations", rank, 1, 1);
  const further = windowList(context, "output_padding", rank, 0, 0);
  const wanted = listAttribute(context, "output_shape")?.slice(-rank);
  const whole = small.map((n, a) => strides[a] * (n - 1) + further[a] + dilations[a] * (kernel[a] - 1) + 1);
  if (wanted !== undefined) throw new UnsupportedError(`${context.where}: output_shape is not read; export with pads`);
  const padding = paddings(context, (a) => whole[a] - small[a] * strides[a], rank);
  const large = whole.map((n, a) => n - padding[a][0] - padding[a][1]);
  if (large.some((n) => n < 1)) throw new UnsupportedError(`${context.where}: its padding leaves no output`);
  return { input: large, kernel, strides, dilations, padding, output: small };
}

/** What each window of a pooling sees, channel by channel; one window over all where the operator is global. */
function pooled(inputs: readonly OperatorInput[], context: OperatorContext) {
  const x = neurons(inputs[0], context);
  const [, channels, ...spatial] = x.shape;
  const global = context.node.operator.startsWith("Global");
  const layout = windowLayout(
    global ? { ...context, node: { ...context.node, attributes: {} } } : context,
    spatial,
    global ? spatial : (listAttribute(context, "kernel_shape") ?? []),
  );
  const windows = windowTaps(layout);
  if (windows.some((taps) => taps.every(({ input }) => input === undefined))) {
    throw new UnsupportedError(`${context.where}: a window sees padding only`);
  }
  const forms = affine(x, context);
  const area = countOf(spatial);
  const groups = Array.from({ length: channels }, (_, c) =>
    windows.map((taps) => ({
      inside: taps.flatMap(({ input }) => (input === undefined ? [] : [forms[c * area + input]])),
      withPadding: taps.length,
    })),
  ).flat();
  return { shape: [1, channels, ...layout.output], groups };
}

const averagePool: Operator = (inputs, context) => {
  const { shape, groups } = pooled(inputs, context);
  const all = numberAttribute(context, "count_include_pad", 0) === 1;
  const means = groups.map(({ inside, withPadding }) =>
    affineCombination(
      inside,
      new Float64Array(inside.length).fill(1 / (all ? withPadding : inside.length)),
      0,
      context.stack,
    ),
  );
  return [{ shape, neurons: means }];
};

/** Padding is below everything. The second output, the places, cannot be used by anything that is read. */
const maxPool: Operator = (inputs, context) => {
  const { shape, groups } = pooled(inputs, context);
  const largest = largestOf(
    groups.map(({ inside }) => inside),
    context.stack,
  );
  return [{ shape, neurons: largest }, undefined];
};

/** Operators that read windows of images or sequences. */
export const windowOperators: Readonly<Record<string, Operator>> = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  AveragePool: averagePool,
  GlobalAveragePool: averagePool,
  MaxPool: maxPool,
  GlobalMaxPool: maxPool,
};
