import {
  bind,
  cast,
  type DType,
  definePrimitive,
  NonFiniteError,
  type Primitive,
  ShapeError,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";

/** A function of plain numbers that compiled code calls. */
export interface CallbackParams {
  readonly call: (t: number, y: Float64Array) => ArrayLike<number>;
  /** How many numbers it returns. */
  readonly size: number;
  /** What it is, for messages. */
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

/** @internal Gradients and batches, which plain functions have none of. */
export function plainOnly(): Pick<Primitive, "vjp" | "batch"> {
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

/** @internal What a plain function returned. @throws ValueError, ShapeError where it is not so many numbers */
export function checked(values: ArrayLike<number>, size: number, what: string, time: number): Float64Array {
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

/** @internal Throws where the first rate is not finite. @throws NonFiniteError */
export function requireFinite(owner: string, values: ArrayLike<number>, time: number, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new NonFiniteError(`${owner}: ${what} at t = ${time} is ${values[i]} in place ${i}; it must be finite`);
  }
}
