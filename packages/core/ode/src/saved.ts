import {
  add,
  arange,
  div,
  equal,
  expandDims,
  less,
  lessEqual,
  logicalAnd,
  minimum,
  mul,
  scatterAdd,
  stack,
  sub,
  type Tensor,
  take,
  tensor,
  where,
  whileLoop,
  zeros,
} from "@offprint/tensor-core";
import type { Gathering, Tried } from "./advance.js";
import { combine } from "./machine.js";
import type { Method } from "./methods/method.js";
import type { System } from "./system.js";

/** States at some times, as far as they were met. */
export interface Saved {
  /** How many times were met, int32. */
  readonly met: Tensor;
  /** The states then, `[m, n]`. */
  readonly rows: Tensor;
}

/** @internal The state at a part `theta`, `[]`, of a step of size `h`. */
export function interpolated(method: Method, { basis }: Pick<Tried, "basis">, theta: Tensor, h: Tensor): Tensor {
  return combine(method.denseWeights(theta, h), stack(basis()));
}

/** @internal How far into a step a time is; 0 in a step of size 0. */
export function partOfStep(t: Tensor, start: Tensor, h: Tensor): Tensor {
  const none = equal(h, 0);
  return where(none, 0, div(sub(t, start), where(none, 1, h)));
}

/**
 * @internal Saves the states at times while steps pass them, so that no step need be kept for it.
 * @param times - `[m]`, in the order in which they are met; the state at one that is not met is NaN
 */
export function saving(method: Method, { size, dtype }: System, direction: Tensor, times: Tensor): Gathering<Saved> {
  const [count] = times.shape;
  const int = (value: number) => tensor(value, { dtype: "int32" });
  return {
    initial: { met: int(0), rows: zeros([count, size], dtype) },
    step(saved, tried) {
      const time = (s: Saved) => take(times, minimum(s.met, count - 1));
      const end = where(tried.accepted, mul(direction, tried.end), Number.NEGATIVE_INFINITY);
      return whileLoop(
        (s: Saved) => logicalAnd(less(s.met, count), lessEqual(mul(direction, time(s)), end)),
        (s: Saved): Saved => {
          const theta = partOfStep(time(s), tried.t, tried.h);
          // A time before the step is out of order.
          const row = interpolated(method, tried, where(less(theta, 0), Number.NaN, theta), tried.h);
          return { met: add(s.met, 1), rows: scatterAdd(s.rows, minimum(s.met, count - 1), row) };
        },
        saved,
      );
    },
  };
}

/** @internal The rows, NaN where a time was not met. */
export function savedRows({ met, rows }: Saved): Tensor {
  const [count] = rows.shape;
  return where(expandDims(less(arange(0, count, 1, "int32"), met), 1), rows, Number.NaN);
}
