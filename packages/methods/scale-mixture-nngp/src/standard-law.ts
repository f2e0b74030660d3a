import { brentRoot } from "@offprint/solvers";
import {
  add,
  div,
  expandDims,
  log,
  log1p,
  logSumExp,
  mul,
  special,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** The law of z = sqrt(s) times a standard normal: that of every marginal, but for its place and size. */
export interface StandardLaw {
  /** Of Student's t; infinite for a normal, undefined for other mixtures. */
  readonly degreesOfFreedom?: number;
  /** E s, the variance of z; infinite where there is none. */
  readonly variance: number;
  /** log density at each z; traceable. */
  readonly logDensity: (z: Tensor) => Tensor;
  /** P(z <= each). */
  readonly cdf: (z: Tensor) => Tensor;
}

const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);
const float64 = (x: number | Float64Array): Tensor => tensor(x, { dtype: "float64" });

/** Shapes from which 2 rate / (2 rate + t^2) has too few digits, and Wallace's formula is right to 1e-11. */
const NEARLY_NORMAL = 1e6;

/** s is known. */
export function normalLaw(scale: number): StandardLaw {
  return {
    degreesOfFreedom: Infinity,
    variance: scale,
    logDensity: (z) => sub(mul(-0.5 / scale, square(z)), halfLog2Pi + 0.5 * Math.log(scale)),
    cdf: (z) => special.normalCdf(div(z, Math.sqrt(scale))),
  };
}

/** s is inverse gamma: z is Student's t with 2 shape degrees of freedom, and a squared size of rate / shape. */
export function studentLaw(shape: number, rate: number): StandardLaw {
  // 1 / B(shape, 1/2) = Gamma(shape + 1/2) / (Gamma(shape) sqrt(pi)), of which nothing cancels in large shapes.
  const constant = -special.logBeta(float64(shape), 0.5).item() - 0.5 * Math.log(2 * rate);
  const lifted = (z: Tensor) => log1p(mul(0.5 / rate, square(z)));
  return {
    degreesOfFreedom: 2 * shape,
    variance: shape > 1 ? rate / (shape - 1) : Infinity,
    logDensity: (z) => sub(constant, mul(shape + 0.5, lifted(z))),
    // P(|z| > t) = I_x(shape, 1/2) at x = 2 rate / (2 rate + t^2).
    cdf(z) {
      if (shape > NEARLY_NORMAL) {
        const factor = 1 - 2 / (16 * shape + 3);
        return special.normalCdf(mul(mul(factor, z.sign()), mul(2 * shape, lifted(z)).sqrt()));
      }
      const outside = special.betainc(shape, 0.5, div(2 * rate, add(2 * rate, square(z))));
      return add(0.5, mul(mul(0.5, z.sign()), sub(1, outside)));
    },
  };
}

/** s has the values `scales` with the log probabilities `logWeights`. */
export function mixtureLaw(scales: Float64Array, logWeights: Float64Array): StandardLaw {
  const [s, logs] = [float64(scales), float64(logWeights)];
  const weights = logs.exp();
  return {
    variance: sum(mul(weights, s)).item(),
    logDensity(z) {
      const each = sub(mul(-0.5, div(square(expandDims(z, -1)), s)), mul(0.5, log(s)));
      return sub(logSumExp(add(logs, each), -1), halfLog2Pi);
    },
    cdf: (z) => sum(mul(weights, special.normalCdf(div(expandDims(z, -1), s.sqrt()))), -1),
  };
}

/** z with P(z <= quantile) = p. */
export function quantileOf(owner: string, law: StandardLaw, p: number): number {
  if (!(p > 0 && p < 1)) throw new ValueError(`${owner}: p is ${p}; it must be between 0 and 1`);
  if (p === 0.5) return 0;
  // Symmetric about 0: the upper half is searched, by the mass that is left above.
  const tail = Math.min(p, 1 - p);
  const above = (u: number) => law.cdf(float64(-Math.exp(u))).item() - tail;
  let [low, high] = [-1, 1];
  while (above(low) < 0) low = 2 * low;
  while (above(high) > 0) high = 2 * high;
  const size = Math.exp(brentRoot(above, low, high, { tolerance: 1e-14 }).x);
  return p < 0.5 ? -size : size;
}
