import {
  abs,
  add,
  bind,
  cast,
  type DType,
  definePrimitive,
  div,
  eye,
  maximum,
  mul,
  NonFiniteError,
  type Primitive,
  reshape,
  ShapeError,
  scan,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import type { Slopes, SlopesOf, System } from "./system.js";

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
    const values = call(time, Float64Array.from(y.data()));
    return [tensor(checked(values, size, what, time), { dtype: "float64" })];
  },
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

/** The relative step of differences: the root of the rounding error. */
const STEP = 2 ** -26;

/** @internal Slopes by forward differences, for rates that cannot be differentiated. */
export const differenceSlopes: SlopesOf & { readonly time: typeof differenceInTime } = Object.assign(inAll, {
  time: differenceInTime,
});

function inAll(rate: System["rate"], t: Tensor, y: Tensor, first: Tensor): Slopes {
  const steps = mul(maximum(abs(y), 1e-5), STEP);
  const [, columns] = scan(
    (state: null, direction: Tensor) => {
      const step = sum(mul(direction, steps));
      return [state, div(sub(rate(t, add(y, mul(direction, step))), first), step)] as [null, Tensor];
    },
    null,
    eye(y.size, y.size, y.dtype),
  );
  return { state: transpose(reshape(columns, [y.size, y.size])), time: differenceInTime(rate, t, y, first) };
}

function differenceInTime(rate: System["rate"], t: Tensor, y: Tensor, first: Tensor): Tensor {
  const step = mul(maximum(abs(t), 1e-5), STEP);
  return div(sub(rate(add(t, step), y), first), step);
}

/** @internal Throws where the first rate is not finite. @throws NonFiniteError */
export function requireFinite(owner: string, values: ArrayLike<number>, time: number, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new NonFiniteError(`${owner}: ${what} at t = ${time} is ${values[i]} in place ${i}; it must be finite`);
  }
}
