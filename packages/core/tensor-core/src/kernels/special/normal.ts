import { erf, erfcx } from "./erf.js";
import { gaussianExponential } from "./gaussian-exponential.js";
import { erfcinv } from "./inverse-erf.js";

/** Distribution function of the standard normal, with relative accuracy in the lower tail. */
export function normalCdf(x: number): number {
  if (x > -0.7) return x < 0.7 ? 0.5 + 0.5 * erf(x * Math.SQRT1_2) : 1 - lowerTail(-x);
  return lowerTail(x);
}

/** Phi(x) for negative `x`: the exponential takes `x^2 / 2` exactly, which `erfc(-x / sqrt 2)` would not. */
function lowerTail(x: number): number {
  return 0.5 * erfcx(-x * Math.SQRT1_2) * gaussianExponential(x, 0.5);
}

/** Logarithm of the standard normal distribution function, without underflow. */
export function normalLogCdf(x: number): number {
  if (x < -0.7) return Math.log(0.5 * erfcx(-x * Math.SQRT1_2)) - 0.5 * x * x;
  return x < 0.7 ? Math.log(normalCdf(x)) : Math.log1p(-lowerTail(-x));
}

/** Inverse of the standard normal distribution function (percent point function); `NaN` outside [0, 1]. */
export function normalQuantile(p: number): number {
  return -Math.SQRT2 * erfcinv(2 * p);
}
