import { type FloatArray, zerosLike } from "./arrays.js";
import { type Axis, axesOf, type WindowGeometry } from "./columns.js";

/** Sizes of a pooling over 1, 2 or 3 spatial axes. */
export interface PoolGeometry extends WindowGeometry {
  /** Independent planes: batch times channels. */
  readonly planes: number;
}

/** Largest elements of the windows and where they are. */
export interface MaxPoolResult<A extends FloatArray> {
  /** [planes, ...outSpatial]; -Infinity where a window lies in the padding. */
  readonly values: A;
  /** The flat place in its plane of each value, the first of equal ones; -1 where a window lies in the padding. */
  readonly indices: Int32Array;
}

/** Kernel places k of output `o` that see the input: [first, end). */
function seenBy(axis: Axis, o: number): [first: number, end: number] {
  const from = o * axis.stride - axis.low;
  const first = Math.max(0, Math.ceil(-from / axis.dilation));
  return [first, Math.max(first, Math.min(axis.kernel, Math.ceil((axis.inSize - from) / axis.dilation)))];
}

/** Max pooling of the contiguous x[planes, ...inSpatial]; the padding never wins, NaN always does. */
export function maxPool<A extends FloatArray>(x: A, geometry: PoolGeometry): MaxPoolResult<A> {
  const [d, h, w] = axesOf(geometry);
  const inPlane = d.inSize * h.inSize * w.inSize;
  const size = geometry.planes * d.outSize * h.outSize * w.outSize;
  const values = zerosLike(x, size);
  const indices = new Int32Array(size);
  let next = 0;
  for (let plane = 0; plane < geometry.planes; plane++) {
    const origin = plane * inPlane;
    for (let od = 0; od < d.outSize; od++) {
      const [d0, d1] = seenBy(d, od);
      for (let oh = 0; oh < h.outSize; oh++) {
        const [h0, h1] = seenBy(h, oh);
        for (let ow = 0; ow < w.outSize; ow++) {
          const [w0, w1] = seenBy(w, ow);
          let best = Number.NEGATIVE_INFINITY;
          let at = -1;
          for (let kd = d0; kd < d1; kd++) {
            const rowD = (od * d.stride - d.low + kd * d.dilation) * h.inSize;
            for (let kh = h0; kh < h1; kh++) {
              const rowH = (rowD + oh * h.stride - h.low + kh * h.dilation) * w.inSize;
              let place = rowH + ow * w.stride - w.low + w0 * w.dilation;
              for (let kw = w0; kw < w1; kw++, place += w.dilation) {
                const value = x[origin + place]!;
                // False only for smaller or equal numbers, and for everything once a NaN is found.
                if (best === best && (at < 0 || !(value <= best))) {
                  best = value;
                  at = place;
                }
              }
            }
          }
          values[next] = best;
          indices[next++] = at;
        }
      }
    }
  }
  return { values, indices };
}
