import type { Geometry } from "../geometry.js";
import { type PackedWeights, wordsFor } from "./bits.js";
import type { ConvolutionJob } from "./convolution-job.js";
import type { PadValue } from "./packed-part.js";
import { classBases, paddingClasses } from "./padding-classes.js";

/** What a convolution needs beside its image; see assembly/binary-convolution.ts for the layouts. */
export interface ConvolutionPlan {
  /** Per group, weights in the order of the kernel: `[blocks of four, taps * words, 4]`. */
  readonly blocks: readonly Uint32Array[];
  /** Per pixel of the result, byte offsets of its window and of its class. */
  readonly places: Int32Array;
  /** Per group `[classes, four * blocks]`. */
  readonly bases: readonly Int32Array[];
}

/** Outputs of a group, rounded up to whole blocks of four. */
export function padded(count: number): number {
  return (count + 3) & ~3;
}

function interleaved(weights: PackedWeights, first: number, outputs: number): Uint32Array {
  const depth = weights.words.length / weights.shape[0];
  const out = new Uint32Array(padded(outputs) * depth);
  for (let o = 0; o < outputs; o++) {
    const to = (o >> 2) * depth * 4 + (o & 3);
    const from = (first + o) * depth;
    for (let k = 0; k < depth; k++) out[to + 4 * k] = weights.words[from + k];
  }
  return out;
}

function makePlan(
  weights: PackedWeights,
  g: Geometry,
  [height, width]: readonly [number, number],
  [rows, columns]: readonly [number, number],
  padValue: PadValue,
): ConvolutionPlan {
  const perGroup = weights.shape[0] / g.groups;
  const stride = padded(perGroup);
  const pixelBytes = g.groups * wordsFor(weights.shape[1]) * 4;
  const rowBytes = (width + 2 * g.padding[1]) * pixelBytes;
  const classes = paddingClasses(g, height, width, rows, columns);
  const places = new Int32Array(rows * columns * 2);
  for (let i = 0, p = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, p++) {
      places[2 * p] = i * g.strides[0] * rowBytes + j * g.strides[1] * pixelBytes;
      places[2 * p + 1] = classes.ofPixel[p] * stride * 4;
    }
  }
  const groups = Array.from({ length: g.groups }, (_, k) => k * perGroup);
  return {
    blocks: groups.map((first) => interleaved(weights, first, perGroup)),
    places,
    bases: groups.map((first) => classBases(classes, weights, first, perGroup, stride, padValue)),
  };
}

const plans = new WeakMap<PackedWeights, Map<string, ConvolutionPlan>>();

/** The plan of a job: made once for weights, geometry and extents, since a network meets the same again and again. */
export function planFor({ weights, geometry, extents, padValue, input }: ConvolutionJob): ConvolutionPlan {
  const [, , height, width] = input.shape;
  const known = plans.get(weights) ?? new Map<string, ConvolutionPlan>();
  plans.set(weights, known);
  const { strides, padding, dilation, groups } = geometry;
  const key = [height, width, ...strides, ...padding, ...dilation, groups, padValue].join();
  const found = known.get(key) ?? makePlan(weights, geometry, [height, width], extents, padValue);
  known.set(key, found);
  return found;
}
