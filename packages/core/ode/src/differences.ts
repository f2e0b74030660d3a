import {
  abs,
  add,
  bind,
  cast,
  type DType,
  definePrimitive,
  div,
  maximum,
  mul,
  type Primitive,
  sub,
  type Tensor,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { type CallbackParams, checked, plainOnly } from "./callback.js";
import type { SlopesOf, System } from "./system.js";

/** The relative step of differences: the root of the rounding error. */
const STEP = 2 ** -26;

/** Numbers are taken to be at least so large. */
const SMALLEST = 1e-5;

/** By how much a number is moved. */
const stepAt = (value: number) => Math.max(Math.abs(value), SMALLEST) * STEP;

/** Numbers between 1/2 and 3/2 that no sum of few makes up again. */
const weight = (j: number) => 0.5 + (((j + 1) * 0.6180339887498949) % 1);

/**
 * A Jacobian by differences, `[n, n]`, in one call: inputs are the time, the state, its rate and which columns are found
 * together, of {@link columnsTogether}.
 */
const differencesP: Primitive<CallbackParams> = definePrimitive<CallbackParams>({
  name: "odeDifferences",
  opaque: true,
  outputs: (_, { size }) => [{ shape: [size, size], dtype: "float64" as DType }],
  host([t, y, first, together], params) {
    const time = t.item();
    const [state, rate] = [y.data() as Float64Array, first.data() as Float64Array];
    const columns = together.data() as Int32Array;
    const matrix =
      (columns.length > 0 && fewDifferences(params, time, state, rate, columns)) ||
      allDifferences(params, time, state, rate);
    return [tensor(matrix, { dtype: "float64" }).reshape([params.size, params.size])];
  },
  ...plainOnly(),
});

/** One call for each column. */
function allDifferences(
  { call, size, what }: CallbackParams,
  time: number,
  state: Float64Array,
  rate: Float64Array,
): Float64Array {
  const matrix = new Float64Array(size * size);
  const moved = new Float64Array(size);
  for (let column = 0; column < size; column++) {
    moved.set(state);
    moved[column] += stepAt(state[column]);
    const step = moved[column] - state[column];
    const values = checked(call(time, moved), size, what, time);
    for (let row = 0; row < size; row++) matrix[row * size + column] = (values[row] - rate[row]) / step;
  }
  return matrix;
}

/**
 * One call for all columns that no row has two of, and one that checks: rows must change in a direction of all columns by what
 * the matrix says. Undefined where they do not, as for a right-hand side that has come to depend on more than it did.
 */
function fewDifferences(
  { call, size, what }: CallbackParams,
  time: number,
  state: Float64Array,
  rate: Float64Array,
  columns: Int32Array,
): Float64Array | undefined {
  const matrix = new Float64Array(size * size);
  const moved = new Float64Array(size);
  const steps = new Float64Array(size);
  const move = (column: number, factor: number) => {
    moved[column] = state[column] + factor * stepAt(state[column]);
    steps[column] = moved[column] - state[column];
  };
  let groups = 0;
  for (; groups < size; groups++) {
    moved.set(state);
    let some = false;
    for (let row = 0; row < size; row++) {
      const column = columns[row * size + groups];
      if (column < 0) continue;
      move(column, 1);
      some = true;
    }
    if (!some) break;
    const values = checked(call(time, moved), size, what, time);
    for (let row = 0; row < size; row++) {
      const column = columns[row * size + groups];
      if (column >= 0) matrix[row * size + column] = (values[row] - rate[row]) / steps[column];
    }
  }
  moved.set(state);
  for (let column = 0; column < size; column++) move(column, weight(column));
  const values = checked(call(time, moved), size, what, time);
  for (let row = 0; row < size; row++) {
    let [expected, terms, rounding] = [0, 0, Math.abs(rate[row])];
    for (let group = 0; group < groups; group++) {
      const column = columns[row * size + group];
      if (column < 0) continue;
      const slope = matrix[row * size + column];
      expected += slope * steps[column];
      terms += Math.abs(slope * steps[column]);
      rounding += Math.abs(slope * state[column]);
    }
    const apart = Math.abs(values[row] - rate[row] - expected);
    if (!(apart <= 1e-5 * terms + 2 ** -46 * rounding)) return undefined;
  }
  return matrix;
}

/**
 * @internal Which columns of the Jacobian of a plain function one difference finds together, `[n, n]`: in row i at place g the
 * one column of group g that row i depends on, -1 for none. No row depends on two columns of a group. Empty, `[0, 0]`, where
 * groups save nothing, or the function does not take what is tried.
 */
export function columnsTogether({ call, size }: CallbackParams, time: number, state: Float64Array): Tensor {
  const depends = dependencies(call, size, time, state);
  const columns = new Int32Array(size * size).fill(-1);
  let groups = 0;
  for (let column = 0; depends !== undefined && column < size; column++) {
    const rows = Array.from({ length: size }, (_, row) => row).filter((row) => depends[row * size + column]);
    if (rows.length === 0) continue;
    let group = 0;
    while (rows.some((row) => columns[row * size + group] >= 0)) group++;
    for (const row of rows) columns[row * size + group] = column;
    groups = Math.max(groups, group + 1);
  }
  if (depends === undefined || groups + 1 >= size) return separately();
  return tensor(columns, { dtype: "int32" }).reshape([size, size]);
}

/** @internal Every column by a difference of its own. */
export const separately = (): Tensor => zeros([0, 0], "int32");

/** Which rows change with which columns, near a state: to the last bit, and where a result is not a number. */
function dependencies(
  call: CallbackParams["call"],
  size: number,
  time: number,
  state: Float64Array,
): Uint8Array | undefined {
  const depends = new Uint8Array(size * size);
  // Not at the state itself: where a number is 0, its factors seem to be without effect.
  const near = Float64Array.from(state, (v, j) => v + 1e-3 * weight(j) * Math.max(Math.abs(v), SMALLEST));
  try {
    const rate = Float64Array.from(call(time, near.slice()));
    const moved = new Float64Array(size);
    for (let column = 0; column < size; column++) {
      moved.set(near);
      moved[column] += 1e-3 * Math.max(Math.abs(near[column]), SMALLEST);
      const values = call(time, moved);
      for (let row = 0; row < size; row++) depends[row * size + column] = values[row] === rate[row] ? 0 : 1;
    }
  } catch {
    return undefined;
  }
  return depends;
}

/** @internal The slopes of a plain function, by forward differences; `together` of {@link columnsTogether}. */
export function plainSlopes(params: CallbackParams, together: Tensor): SlopesOf {
  return (rate, t, y, first) => ({
    state: bind(differencesP, [cast(t, "float64"), y, first, together], params)[0],
    time: timeDifference(rate, t, y, first),
  });
}

/** @internal The derivative of a rate by time, by a forward difference. */
export function timeDifference(rate: System["rate"], t: Tensor, y: Tensor, first: Tensor): Tensor {
  const step = mul(maximum(abs(t), SMALLEST), STEP);
  return div(sub(rate(add(t, step), y), first), step);
}
