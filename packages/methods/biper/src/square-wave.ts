import {
  asTensor,
  cos,
  customVjp,
  greaterEqual,
  less,
  mul,
  sin,
  type Tensor,
  type TensorLike,
  ValueError,
  where,
} from "@offprint/tensor-core";

/** +1 where `x >= 0` (zero included: one bit stores no third value), -1 where `x < 0`, NaN where it is, in the dtype of `x`. */
export function signOf(x: Tensor): Tensor {
  return where(greaterEqual(x, 0), 1, where(less(x, 0), -1, x)).cast(x.dtype);
}

/** Throws unless `omega` is a finite number > 0. */
export function requireFrequency(owner: string, omega: number): void {
  if (!(typeof omega === "number" && omega > 0 && omega < Infinity)) {
    throw new ValueError(`${owner}: omega is ${String(omega)}; it must be a finite number > 0, such as 20`);
  }
}

/** `sin(omega w)`, the weights of stage 1: real numbers in [-1, 1]. */
export function sineWave(w: TensorLike, omega: number): Tensor {
  requireFrequency("sineWave", omega);
  return sin(mul(asTensor(w), omega));
}

/**
 * The square wave `sgn(sin(omega w))`, weights of stage 2: -1 or +1. Its gradient is that of the sine of the same period,
 * `omega cos(omega w)`, so that it dies nowhere, however large the weight.
 * @param omega angular frequency > 0
 * @see Vargas et al., CVPR 2024, section 3
 * @throws ValueError for a frequency out of range.
 */
export function squareWave(w: TensorLike, omega: number): Tensor {
  requireFrequency("squareWave", omega);
  const wave = (x: Tensor) => signOf(sin(mul(x, omega)));
  const through = customVjp(
    wave,
    (x: Tensor) => [wave(x), x],
    (x: Tensor, g: Tensor) => [mul(g, mul(cos(mul(x, omega)), omega))],
  );
  return through(asTensor(w));
}
