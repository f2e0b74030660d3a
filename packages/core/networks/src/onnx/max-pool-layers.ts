import { ones, type Tensor, tensor } from "@offprint/tensor-core";
import type { ScalarActivation } from "../activation.js";
import { convolution, type Layer } from "../layer.js";
import { countOf } from "./shapes.js";
import type { WindowLayout } from "./window-layout.js";

const relu: ScalarActivation = { kind: "scalar", name: "relu" };
const identity: ScalarActivation = { kind: "scalar", name: "identity" };

/** Functions without negative values: beside those, zeros in the padding are never the largest. */
const NOT_NEGATIVE: readonly string[] = ["relu", "abs", "sigmoid", "softplus", "hardSigmoid"];

const NONE = [0, 0] as const;

/**
 * The largest of each window as layers: along one axis after the other, of two places at a time, max(a, b) = a + relu(b - a),
 * by convolutions that read differences and first values of each channel. Their windows double, and the last one overlaps.
 * Nothing where padding or steps cannot be read so.
 */
export function maxPoolLayers(
  before: Layer | undefined,
  channels: number,
  { input, kernel, strides, dilations, padding, output }: WindowLayout,
): Layer[] | undefined {
  const padded = padding.some((pair) => pair.some((n) => n > 0));
  if (padded && !(before?.kind === "scalar" && NOT_NEGATIVE.includes(before.name))) return undefined;
  const layers: Layer[] = [];
  const extents = [...input];
  /** Numbers that add up to a value: gain and base, once there are any. */
  let terms = 1;
  for (const [axis, window] of kernel.entries()) {
    const along = <T>(own: T, others: T): T[] => kernel.map((_, a) => (a === axis ? own : others));
    // Steps without a window, and windows of nothing but padding.
    if (window === 1 && strides[axis] > 1) return undefined;
    if (Math.max(...padding[axis]) > dilations[axis] * (window - 1)) return undefined;
    for (let seen = 1; seen < window; ) {
      const step = Math.min(seen, window - seen);
      const [first, last] = [seen === 1, seen + step === window];
      const around = first ? padding[axis] : NONE;
      const gap = step * dilations[axis];
      const stride = last ? strides[axis] : 1;
      layers.push(
        convolution(pairKernels(channels, terms, along(2, 1)), {
          groups: channels,
          strides: along(stride, 1),
          dilation: along(gap, 1),
          padding: along(around, NONE),
        }),
      );
      extents[axis] = Math.floor((extents[axis] + around[0] + around[1] - gap - 1) / stride) + 1;
      const count = countOf(extents);
      const parts = Array.from({ length: 2 * channels }, (_, k) => ({
        activation: k % 2 === 0 ? relu : identity,
        count,
      }));
      layers.push({ kind: "mixed", parts });
      terms = 2;
      seen += step;
    }
  }
  // Windows of ceil_mode that reach over the padding give more.
  if (layers.length === 0 || extents.some((n, a) => n !== output[a])) return undefined;
  const sum = ones([channels, 2, ...kernel.map(() => 1)], "float64");
  return [...layers, convolution(sum, { groups: channels })];
}

/** Kernels `[2 channels, terms, ...]` of two taps: the second value less the first, and the first. */
function pairKernels(channels: number, terms: number, taps: readonly number[]): Tensor {
  const [gain, base] = [
    [-1, 1],
    [1, 0],
  ];
  const each = [gain, base].flatMap((pair) => new Array<number[]>(terms).fill(pair).flat());
  const values = new Array<number[]>(channels).fill(each).flat();
  return tensor(Float64Array.from(values), { shape: [2 * channels, terms, ...taps] });
}
