import { difference, dot, norm } from "../linear/vector-arithmetic.js";

/** A step `s` and the change `y` of the gradient over it, with `s . y > 0`. */
export interface CurvaturePair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** `s . y`. */
  readonly curvature: number;
  /** `y . y`. */
  readonly square: number;
}

interface Place {
  readonly x: Float64Array;
  readonly gradient: Float64Array;
}

/** The pair from one place to the next; undefined where it shows no positive curvature. */
export function curvaturePair(from: Place, to: Place): CurvaturePair | undefined {
  const step = difference(to.x, from.x);
  const change = difference(to.gradient, from.gradient);
  const curvature = dot(step, change);
  const square = dot(change, change);
  return curvature > 2.2e-16 * norm(step) * Math.sqrt(square) ? { step, change, curvature, square } : undefined;
}
