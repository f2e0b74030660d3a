import { UnsupportedError } from "@offprint/tensor-core";
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
import { countOf } from "./shapes.js";
import { windowLayout } from "./window-layout.js";

function convolution(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const weight = constant(inputs[1], context.where, "the weight");
  const bias = inputs[2] === undefined ? undefined : constant(inputs[2], context.where, "the bias").data();
  const [, channels, ...spatial] = x.shape;
  const [outputs, perGroup, ...kernel] = weight.shape;
  const groups = numberAttribute(context, "group", 1);
  if (spatial.length < 1 || spatial.length > 2 || perGroup * groups !== channels) {
    throw new UnsupportedError(
      `${context.where}: only convolutions of one or two dimensions that fit [${x.shape}] are read`,
    );
  }
  const layout = windowLayout(context, spatial, kernel);
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
  const kernel = global ? spatial : (listAttribute(context, "kernel_shape") ?? []);
  if (spatial.length < 1 || spatial.length > 2)
    throw new UnsupportedError(`${context.where}: only one or two dimensions are read`);
  const layout = windowLayout(
    global ? { ...context, node: { ...context.node, attributes: {} } } : context,
    spatial,
    kernel,
  );
  const withPadding = numberAttribute(context, "count_include_pad", 0) === 1;
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

/** Operators that read windows of images or sequences. */
export const windowOperators: Readonly<Record<string, Operator>> = {
  Conv: convolution,
  AveragePool: averagePool,
  GlobalAveragePool: averagePool,
};
