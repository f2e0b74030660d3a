import {
  add,
  type fft,
  mul,
  neg,
  requireFunction,
  requireObject,
  square,
  sub,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";

/** Complex numbers as two real tensors of one shape. */
export type Complex = fft.Complex;

/** a + b. */
export function plus(a: Complex, b: Complex): Complex {
  requireObject("complex.plus", "a", a, "{ re, im }");
  requireObject("complex.plus", "b", b, "{ re, im }");
  return { re: add(a.re, b.re), im: add(a.im, b.im) };
}

/** a - b. */
export function minus(a: Complex, b: Complex): Complex {
  requireObject("complex.minus", "a", a, "{ re, im }");
  requireObject("complex.minus", "b", b, "{ re, im }");
  return { re: sub(a.re, b.re), im: sub(a.im, b.im) };
}

/** a b. */
export function times(a: Complex, b: Complex): Complex {
  requireObject("complex.times", "a", a, "{ re, im }");
  requireObject("complex.times", "b", b, "{ re, im }");
  return { re: sub(mul(a.re, b.re), mul(a.im, b.im)), im: add(mul(a.re, b.im), mul(a.im, b.re)) };
}

/** a times a real factor, which broadcasts. */
export function scale(a: Complex, factor: TensorLike): Complex {
  requireObject("complex.scale", "a", a, "{ re, im }");
  return { re: mul(a.re, factor), im: mul(a.im, factor) };
}

/** i a times a real factor, which broadcasts. */
export function timesI(a: Complex, factor: TensorLike = 1): Complex {
  requireObject("complex.timesI", "a", a, "{ re, im }");
  return { re: neg(mul(a.im, factor)), im: mul(a.re, factor) };
}

/** The complex conjugate. */
export function conjugate(a: Complex): Complex {
  requireObject("complex.conjugate", "a", a, "{ re, im }");
  return { re: a.re, im: neg(a.im) };
}

/** |a|^2, real. */
export function squaredModulus(a: Complex): Tensor {
  requireObject("complex.squaredModulus", "a", a, "{ re, im }");
  return add(square(a.re), square(a.im));
}

/** A function of real and imaginary parts alike, such as a change of shape. */
export function mapParts(a: Complex, f: (part: Tensor) => Tensor): Complex {
  requireObject("complex.mapParts", "a", a, "{ re, im }");
  requireFunction("complex.mapParts", "f", f);
  return { re: f(a.re), im: f(a.im) };
}
