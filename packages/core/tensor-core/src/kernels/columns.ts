import type { FloatArray } from "./arrays.js";
import { copy } from "./wasm/transfer.js";

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

/** Some of the lines of outputs along the last axis, numbered over the two axes before it: [from, end). */
export interface Lines {
  readonly from: number;
  readonly end: number;
}

/**
 * Calls `run` for some lines of outputs under every kernel place of every channel, as many at a time as lie in one plane and
 * all see the input, or all see the padding: with the row of the patch matrix, the place of the first line in that row, how many
 * lines there are, the place in x that output 0 of the first one sees, and the outputs [from, end) of each that see the
 * input, none in the padding. Output 0 of the next line sees `h.stride` rows further.
 */
function forRuns(
  channels: number,
  [d, h, w]: Axes,
  lines: Lines,
  run: (patchRow: number, place: number, count: number, seen: number, from: number, end: number) => void,
): void {
  let patchRow = 0;
  for (let c = 0; c < channels; c++) {
    for (let kd = 0; kd < d.kernel; kd++) {
      for (let kh = 0; kh < h.kernel; kh++) {
        const startH = start(h, kh);
        const firstH = firstInside(h, startH);
        const endH = Math.max(firstH, endInside(h, startH));
        for (let kw = 0; kw < w.kernel; kw++, patchRow++) {
          const startW = start(w, kw);
          const from = firstInside(w, startW);
          const end = Math.max(from, endInside(w, startW));
          for (let at = lines.from; at < lines.end; ) {
            const od = Math.floor(at / h.outSize);
            const oh = at - od * h.outSize;
            const id = start(d, kd) + od * d.stride;
            const seesInput = id >= 0 && id < d.inSize && oh >= firstH && oh < endH;
            const border = id < 0 || id >= d.inSize || oh >= endH ? h.outSize : oh < firstH ? firstH : endH;
            const next = Math.min(lines.end, at + border - oh);
            const place = (at - lines.from) * w.outSize;
            if (seesInput) {
              const ih = startH + oh * h.stride;
              run(patchRow, place, next - at, ((c * d.inSize + id) * h.inSize + ih) * w.inSize + startW, from, end);
            } else run(patchRow, place, next - at, 0, 0, 0);
            at = next;
          }
        }
      }
    }
  }
}

/**
 * Writes the patches that some lines see of x[channels, ...in] (from `xStart` on) as columns: row (channel, kernel place),
 * column (output place). The matrix has rows of `width` elements; its first column here is `column`.
 */
export function toColumns(
  x: FloatArray,
  xStart: number,
  channels: number,
  axes: Axes,
  lines: Lines,
  to: FloatArray,
  column: number,
  width: number,
): void {
  const [, h, w] = axes;
  const { outSize, stride } = w;
  const advance = h.stride * w.inSize;
  forRuns(channels, axes, lines, (patchRow, place, count, seen, from, end) => {
    const out = patchRow * width + column + place;
    const source = xStart + seen;
    if (end === from) {
      to.fill(0, out, out + count * outSize);
      return;
    }
    const together = stride === 1 && advance === outSize;
    // Lines follow one another in x as they do here; what comes from beyond their ends is overwritten.
    if (together) copy(x, source + from, to, out + from, (count - 1) * outSize + end - from);
    for (let line = 0; line < count; line++) {
      const [put, take] = [out + line * outSize, source + line * advance];
      for (let o = 0; o < from; o++) to[put + o] = 0;
      if (!together) for (let o = from; o < end; o++) to[put + o] = x[take + o * stride]!;
      for (let o = end; o < outSize; o++) to[put + o] = 0;
    }
  });
}

/** Adds a matrix of patches back to the places of x they came from: the transpose of `toColumns`. */
export function addFromColumns(
  from: FloatArray,
  column: number,
  width: number,
  channels: number,
  axes: Axes,
  lines: Lines,
  x: FloatArray,
  xStart: number,
): void {
  const [, h, w] = axes;
  const advance = h.stride * w.inSize;
  forRuns(channels, axes, lines, (patchRow, place, count, seen, first, end) => {
    for (let line = 0; line < count; line++) {
      const out = patchRow * width + column + place + line * w.outSize;
      const target = xStart + seen + line * advance;
      for (let o = first; o < end; o++) x[target + o * w.stride]! += from[out + o]!;
    }
  });
}
