import type { FloatArray } from "./arrays.js";

/** One spatial axis of a sliding window. */
export interface Axis {
  readonly inSize: number;
  readonly outSize: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Places before the first element of the input. */
  readonly low: number;
}

/** Always three: missing leading axes have size 1. */
export type Axes = readonly [Axis, Axis, Axis];

/** What the axes of a window are taken from; see `ConvGeometry`. */
export interface WindowGeometry {
  readonly inSpatial: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly (readonly [low: number, high: number])[];
  readonly outSpatial: readonly number[];
}

const single: Axis = { inSize: 1, outSize: 1, kernel: 1, stride: 1, dilation: 1, low: 0 };

/** The one to three axes of a geometry, filled up to three. */
export function axesOf(g: WindowGeometry): Axes {
  const axes = g.inSpatial.map((inSize, i): Axis => {
    const [low] = g.padding[i]!;
    const [outSize, kernel] = [g.outSpatial[i]!, g.kernel[i]!];
    return { inSize, outSize, kernel, stride: g.strides[i]!, dilation: g.dilation[i]!, low };
  });
  while (axes.length < 3) axes.unshift(single);
  return axes as unknown as Axes;
}

/** Input place that output 0 sees through kernel place `k`; output o sees o strides further. */
function start(axis: Axis, k: number): number {
  return k * axis.dilation - axis.low;
}

/** First output that sees the input, not the padding, when output 0 sees place `from`. */
function firstInside(axis: Axis, from: number): number {
  return Math.max(0, Math.min(axis.outSize, Math.ceil(-from / axis.stride)));
}

/** One past the last output that sees the input. */
function endInside(axis: Axis, from: number): number {
  return Math.max(0, Math.min(axis.outSize, Math.ceil((axis.inSize - from) / axis.stride)));
}

/**
 * Calls `row` for every line of outputs along the last axis under every kernel place of every channel: with the row of
 * the patch matrix, the place of the line in that row, the place in x that its output 0 sees (or -1 where the line lies
 * in the padding), and the outputs [from, end) that see the input.
 */
function forLines(
  channels: number,
  [d, h, w]: Axes,
  line: (patchRow: number, place: number, seen: number, from: number, end: number) => void,
): void {
  let patchRow = 0;
  for (let c = 0; c < channels; c++) {
    for (let kd = 0; kd < d.kernel; kd++) {
      for (let kh = 0; kh < h.kernel; kh++) {
        for (let kw = 0; kw < w.kernel; kw++, patchRow++) {
          const startW = start(w, kw);
          const from = firstInside(w, startW);
          const end = Math.max(from, endInside(w, startW));
          for (let od = 0; od < d.outSize; od++) {
            const id = start(d, kd) + od * d.stride;
            for (let oh = 0; oh < h.outSize; oh++) {
              const ih = start(h, kh) + oh * h.stride;
              const inside = id >= 0 && id < d.inSize && ih >= 0 && ih < h.inSize;
              const seen = ((c * d.inSize + id) * h.inSize + ih) * w.inSize + startW;
              const place = (od * h.outSize + oh) * w.outSize;
              if (inside) line(patchRow, place, seen, from, end);
              else line(patchRow, place, 0, 0, 0);
            }
          }
        }
      }
    }
  }
}

/**
 * Writes the patches of x[channels, ...in] (from `xStart` on) as columns: row (channel, kernel place), column (output
 * place). The matrix has rows of `width` elements; its first column here is `column`.
 */
export function toColumns(
  x: FloatArray,
  xStart: number,
  channels: number,
  axes: Axes,
  to: FloatArray,
  column: number,
  width: number,
): void {
  const { outSize, stride } = axes[2];
  forLines(channels, axes, (patchRow, place, seen, from, end) => {
    const out = patchRow * width + column + place;
    const source = xStart + seen;
    for (let o = 0; o < from; o++) to[out + o] = 0;
    for (let o = from; o < end; o++) to[out + o] = x[source + o * stride]!;
    for (let o = end; o < outSize; o++) to[out + o] = 0;
  });
}

/** Adds a matrix of patches back to the places of x they came from: the transpose of `toColumns`. */
export function addFromColumns(
  from: FloatArray,
  column: number,
  width: number,
  channels: number,
  axes: Axes,
  x: FloatArray,
  xStart: number,
): void {
  const { stride } = axes[2];
  forLines(channels, axes, (patchRow, place, seen, first, end) => {
    const out = patchRow * width + column + place;
    const target = xStart + seen;
    for (let o = first; o < end; o++) x[target + o * stride]! += from[out + o]!;
  });
}
