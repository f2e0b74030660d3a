import type { Geometry } from "../geometry.js";
import { type PackedWeights, popcount32, wordsFor } from "./bits.js";
import type { PadValue } from "./packed-part.js";

/** Windows of an image by the taps that lie inside it: all of a class see the same part of the kernel. */
export interface PaddingClasses {
  /** Class of every pixel of the result, row-major. */
  readonly ofPixel: Int32Array;
  /** Per class, for every tap of the kernel whether it lies inside the image. */
  readonly inside: readonly Uint8Array[];
}

/** For every place along one axis the number of its class, and the taps inside for each class. */
function axisClasses(g: Geometry, axis: 0 | 1, extent: number, places: number) {
  const keys = new Map<string, number>();
  const taps: boolean[][] = [];
  const of = Int32Array.from({ length: places }, (_, o) => {
    const inside = Array.from({ length: g.kernel[axis] }, (_, k) => {
      const at = o * g.strides[axis] - g.padding[axis] + k * g.dilation[axis];
      return at >= 0 && at < extent;
    });
    const key = inside.join();
    const known = keys.get(key);
    if (known !== undefined) return known;
    keys.set(key, taps.length);
    taps.push(inside);
    return taps.length - 1;
  });
  return { of, taps };
}

/** The classes of the windows over an image of `height x width` that give `rows x columns` results: nine for 3 x 3. */
export function paddingClasses(
  g: Geometry,
  height: number,
  width: number,
  rows: number,
  columns: number,
): PaddingClasses {
  const vertical = axisClasses(g, 0, height, rows);
  const horizontal = axisClasses(g, 1, width, columns);
  const count = horizontal.taps.length;
  const ofPixel = new Int32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) ofPixel[i * columns + j] = vertical.of[i] * count + horizontal.of[j];
  }
  const inside = vertical.taps.flatMap((rowTaps) =>
    horizontal.taps.map((columnTaps) =>
      Uint8Array.from(rowTaps.flatMap((r) => columnTaps.map((c) => (r && c ? 1 : 0)))),
    ),
  );
  return { ofPixel, inside };
}

/**
 * What a window's mismatches are taken from, for a kernel whose taps outside the image meet words of -1 (or of +1): `dot =
 * base - 2 mismatches`. With zero padding the taps outside add nothing to the dot product, so what their words add is taken
 * off again.
 * @returns `[classes, stride]`, the first `outputs` of each row filled
 */
export function classBases(
  classes: PaddingClasses,
  weights: PackedWeights,
  first: number,
  outputs: number,
  stride: number,
  padValue: PadValue,
): Int32Array {
  const [, channels, height, width] = weights.shape;
  const words = wordsFor(channels);
  const taps = height * width;
  const out = new Int32Array(classes.inside.length * stride);
  for (let o = 0; o < outputs; o++) {
    // Sum of the weights of each tap, times -1: its dot product with padding of -1.
    const tapDots = Array.from({ length: taps }, (_, t) => {
      let set = 0;
      for (let k = 0; k < words; k++) set += popcount32(weights.words[((first + o) * taps + t) * words + k]);
      return channels - 2 * set;
    });
    classes.inside.forEach((inside, k) => {
      let base = channels * taps;
      if (padValue === 0) for (let t = 0; t < taps; t++) if (inside[t] === 0) base -= tapDots[t];
      out[k * stride + o] = base;
    });
  }
  return out;
}
