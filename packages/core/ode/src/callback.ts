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
  NonFiniteError,
  type Primitive,
  ShapeError,
  sub,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import type { SlopesOf, System } from "./system.js";

/** The relative step of differences: the root of the rounding error. */
const STEP = 2 ** -26;

/** Numbers are taken to be at least so large. */
const SMALLEST = 1e-5;

/** A function of plain numbers that compiled code calls. */
interface CallbackParams {
  readonly call: (t: number, y: Float64Array) => ArrayLike<number>;
  readonly size: number;
  readonly what: string;
}

/** A call of a plain function from compiled code: inputs are the time, `[]`, and the state, `[n]`. */
const callbackP: Primitive<CallbackParams> = definePrimitive<CallbackParams>({
  name: "odeCallback",
  opaque: true,
  outputs: (_, { size }) => [{ shape: [size], dtype: "float64" as DType }],
  host([t, y], { call, size, what }) {
    const time = t.item();
    // A copy: what is called may keep it.
    const values = call(time, (y.data() as Float64Array).slice());
    return [tensor(checked(values, size, what, time), { dtype: "float64" })];
  },
  ...plainOnly(),
});

/** Gradients and batches, which plain functions have none of. */
function plainOnly(): Pick<Primitive, "vjp" | "batch"> {
  return {
    vjp() {
      throw new UnsupportedError(
        "ode: a right-hand side of plain numbers has no gradient; write it in operations of tensors, and give a tensor as y0",
      );
    },
    batch() {
      throw new UnsupportedError(
        "ode: a right-hand side of plain numbers cannot be batched; write it in operations of tensors",
      );
    },
  };
}

/** All columns of a Jacobian by differences, `[n, n]`, in one call: inputs are the time, the state and its rate. */
const differencesP: Primitive<CallbackParams> = definePrimitive<CallbackParams>({
  name: "odeDifferences",
  opaque: true,
  outputs: (_, { size }) => [{ shape: [size, size], dtype: "float64" as DType }],
  host([t, y, first], { call, size, what }) {
    const time = t.item();
    const [state, rate] = [y.data(), first.data()];
    const matrix = new Float64Array(size * size);
    const moved = new Float64Array(size);
    for (let column = 0; column < size; column++) {
      moved.set(state);
      moved[column] += Math.max(Math.abs(state[column]), SMALLEST) * STEP;
      const step = moved[column] - state[column];
      const values = checked(call(time, moved), size, what, time);
      for (let row = 0; row < size; row++) matrix[row * size + column] = (values[row] - rate[row]) / step;
    }
    return [tensor(matrix, { dtype: "float64" }).reshape([size, size])];
  },
  ...plainOnly(),
});

function checked(values: ArrayLike<number>, size: number, what: string, time: number): Float64Array {
  if (typeof values !== "object" || values === null || typeof values.length !== "number") {
    throw new ValueError(
      `${what} returned ${String(values)} at t = ${time}; it must return an array of ${size} numbers`,
    );
  }
  if (values.length !== size) {
    throw new ShapeError(`${what} returned ${values.length} numbers at t = ${time}; it must return ${size}`);
  }
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

/** @internal A plain function of time and state as an operation of tensors. */
export function plainFunction(
  call: CallbackParams["call"],
  size: number,
  what: string,
): (t: Tensor, y: Tensor) => Tensor {
  return (t, y) => bind(callbackP, [cast(t, "float64"), cast(y, "float64")], { call, size, what })[0];
}

/** @internal The slopes of a plain function, by forward differences. */
export function plainSlopes(call: CallbackParams["call"], size: number, what: string): SlopesOf {
  return (rate, t, y, first) => ({
    state: bind(differencesP, [cast(t, "float64"), y, first], { call, size, what })[0],
    time: timeDifference(rate, t, y, first),
  });
}

/** @internal The derivative of a rate by time, by a forward difference. */
export function timeDifference(rate: System["rate"], t: Tensor, y: Tensor, first: Tensor): Tensor {
  const step = mul(maximum(abs(t), SMALLEST), STEP);
  return div(sub(rate(add(t, step), y), first), step);
}

/** @internal Throws where the first rate is not finite. @throws NonFiniteError */
export function requireFinite(owner: string, values: ArrayLike<number>, time: number, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new NonFiniteError(`${owner}: ${what} at t = ${time} is ${values[i]} in place ${i}; it must be finite`);
  }
}
