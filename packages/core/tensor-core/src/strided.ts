import type { TypedArray } from "./dtype.js";
import type { Shape } from "./shape.js";

/** Copies a strided window into row-major `out`. */
export function copyStrided(
  data: TypedArray,
  offset: number,
  strides: readonly number[],
  shape: Shape,
  out: TypedArray,
): void {
  const rank = shape.length;
  if (out.length === 0) return;
  if (rank === 0) {
    out[0] = data[offset];
    return;
  }
  const inner = shape[rank - 1];
  const step = strides[rank - 1];
  const index = new Array<number>(rank - 1).fill(0);
  let from = offset;
  for (let to = 0; to < out.length; to += inner) {
    if (step === 0) out.fill(data[from], to, to + inner);
    else if (step === 1 && inner > 16) out.set(data.subarray(from, from + inner), to);
    else for (let i = 0, p = from; i < inner; i++, p += step) out[to + i] = data[p];
    for (let axis = rank - 2; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
}

/**
 * Merges neighbouring axes that every operand walks as one, so that loops nest as little as possible.
 * @returns the merged shape and, per operand, its strides.
 */
export function mergeAxes(
  shape: Shape,
  strides: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const outShape: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue;
    const last = outShape.length - 1;
    const mergeable = last >= 0 && strides.every((s, k) => outStrides[k][last] === s[axis] * shape[axis]);
    if (mergeable) {
      outShape[last] *= shape[axis];
      for (let k = 0; k < strides.length; k++) outStrides[k][last] = strides[k][axis];
    } else {
      outShape.push(shape[axis]);
      for (let k = 0; k < strides.length; k++) outStrides[k].push(strides[k][axis]);
    }
  }
  return { shape: outShape, strides: outStrides };
}
