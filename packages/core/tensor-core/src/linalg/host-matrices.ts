import { allocate } from "../dtype.js";
import { ValueError } from "../errors.js";
import { formatShape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";

/** A copy of the values as float64, row-major; every decomposition is computed in float64. */
export function matrixValues(operation: string, argument: string, x: Tensor): Float64Array {
  const values = finiteValues(operation, argument, x);
  return x.storage.kind === "host" && x.storage.data.buffer === values.buffer ? values.slice() : values;
}

/** The values as float64, row-major, and not to be written to: those of the tensor where they lie so. */
export function finiteValues(operation: string, argument: string, x: Tensor): Float64Array {
  const data = contiguousData(x);
  const values = data instanceof Float64Array ? data : new Float64Array(data);
  const wrong = firstNonFinite(values);
  if (wrong >= 0) {
    throw new ValueError(
      `${operation}: ${argument} of shape ${formatShape(x.shape)} holds ${values[wrong]} at ` +
        `${formatShape(positionOf(wrong, x.shape))}; all values must be finite, so find out where it arose (isFinite)`,
    );
  }
  return values;
}

/** The place of the first value that is not finite, or -1. */
function firstNonFinite(values: Float64Array): number {
  let i = 0;
  // What is not finite less itself is NaN; four at a time, whose sum tells.
  for (; i + 4 <= values.length; i += 4) {
    const a = values[i];
    const b = values[i + 1];
    const c = values[i + 2];
    const d = values[i + 3];
    if (a - a + (b - b) + (c - c) + (d - d) !== 0) break;
  }
  while (i < values.length && values[i] - values[i] === 0) i++;
  return i < values.length ? i : -1;
}

function positionOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}

/** Number of matrices of `[..., m, n]`. */
export function matrixCount(shape: readonly number[]): number {
  return sizeOf(shape.slice(0, -2));
}

/** `", matrix 3 of the batch"` where there are several. */
export function whichMatrix(index: number, count: number): string {
  return count > 1 ? ` of matrix ${index} of the batch` : "";
}

/** The float64 results in the element type of the output. */
export function resultTensor(values: Float64Array, spec: Pick<Tensor, "shape" | "dtype">): Tensor {
  if (spec.dtype === "float64") return hostTensor(values, spec.shape, "float64");
  const out = allocate(spec.dtype, values.length);
  out.set(values);
  return hostTensor(out, spec.shape, spec.dtype);
}
