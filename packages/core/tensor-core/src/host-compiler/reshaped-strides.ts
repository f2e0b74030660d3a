import { type Shape, sizeOf } from "../shape.js";
import { mergeAxes } from "../strided.js";

/**
 * Strides over `to` of the elements that `strides` pick over `from`, in the same order; undefined where no strides do.
 * Both shapes hold the same number of elements, at least one.
 */
export function reshapedStrides(from: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  const merged = mergeAxes(from, [strides]);
  const extents = merged.shape;
  const steps = merged.strides[0];
  const out = new Array<number>(to.length).fill(0);
  let run = 0;
  let left = extents[0] ?? 1;
  for (let axis = 0; axis < to.length; axis++) {
    if (to[axis] === 1) continue;
    if (left === 1) left = extents[++run];
    // An axis of the result must lie within one run of evenly spaced elements.
    if (left % to[axis] !== 0) return undefined;
    left /= to[axis];
    out[axis] = steps[run] * left;
  }
  return sizeOf(to) === sizeOf(from) ? out : undefined;
}
