import { erf, erfcx } from "./erf.js";
import { gaussianExponential } from "./gaussian-exponential.js";

const HALF_ROOT_PI = Math.sqrt(Math.PI) / 2;

/** Inverse of `erf` on [-1, 1]; `NaN` outside, infinite at the ends. */
export function erfinv(p: number): number {
  const size = Math.abs(p);
  if (size >= 0.5) return p > 0 ? erfcinv(1 - p) : -erfcinv(1 + p);
  if (size < 1e-9) return p * HALF_ROOT_PI;
  // Winitzki's approximation (about 2e-3) and two steps of Halley's method, f''/f' = -2x.
  const logTerm = Math.log1p(-p * p);
  const middle = 4.330746750799873 + logTerm / 2;
  let x = Math.sign(p) * Math.sqrt(Math.sqrt(middle * middle - logTerm / 0.147) - middle);
  for (let step = 0; step < 2; step++) {
    const newton = ((erf(x) - p) * HALF_ROOT_PI) / gaussianExponential(x);
    x -= newton / (1 + x * newton);
  }
  return x;
}

/** Inverse of `erfc` on [0, 2], accurate down to the smallest positive argument; `NaN` outside. */
export function erfcinv(q: number): number {
  if (!(q >= 0 && q <= 2)) return Number.NaN;
  if (q === 0) return Number.POSITIVE_INFINITY;
  if (q === 2) return Number.NEGATIVE_INFINITY;
  if (q > 0.5 && q < 1.5) return erfinv(1 - q);
  if (q >= 1.5) return -erfcinv(2 - q);
  // log erfc is concave: Newton's method on it converges from the left without a bracket.
  const logQ = Math.log(q);
  let x = Math.sqrt(Math.max(0.1, -logQ - Math.log(2 * Math.sqrt(Math.max(0.3, -logQ)))));
  for (let step = 0; step < 30; step++) {
    const scaled = erfcx(x);
    const change = (Math.log(scaled) - x * x - logQ) * HALF_ROOT_PI * scaled;
    x += change;
    if (Math.abs(change) < 1e-9 * x) break;
  }
  // One step on erfc / q itself: a difference of logarithms is only as good as log q is large.
  if (q < 1e-290) return x;
  return x + (gaussianExponential(x) * erfcx(x) - q) / (q / (HALF_ROOT_PI * erfcx(x)));
}
