import { add, cast, mul, sub, type Tensor } from "@offprint/tensor-core";

/** `x + a d`, in the dtype of x. */
export function plus(x: Tensor, a: Tensor | number, d: Tensor): Tensor {
  return add(x, scaled(a, d, x));
}

/** `x - a d`, in the dtype of x. */
export function minus(x: Tensor, a: Tensor | number, d: Tensor): Tensor {
  return sub(x, scaled(a, d, x));
}

/** `b a + (1 - b) c`, in the dtype of a. */
export function blend(b: Tensor | number, a: Tensor, c: Tensor): Tensor {
  return add(scaled(b, a, a), scaled(sub(1, b), c, a));
}

function scaled(a: Tensor | number, d: Tensor, like: Tensor): Tensor {
  return mul(typeof a === "number" ? a : cast(a, like.dtype), cast(d, like.dtype));
}
