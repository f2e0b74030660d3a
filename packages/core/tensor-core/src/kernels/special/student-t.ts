import { betaincinvLogs, betaincPair } from "./incomplete-beta.js";
import { normalCdf, normalQuantile } from "./normal.js";

/**
 * Distribution function of Student's t with `degrees > 0` degrees of freedom (infinite: the normal), with relative
 * accuracy in the lower tail. `NaN` if `degrees` is not positive.
 */
export function studentTCdf(t: number, degrees: number): number {
  if (!(degrees > 0) || Number.isNaN(t)) return Number.NaN;
  if (degrees === Number.POSITIVE_INFINITY) return normalCdf(t);
  if (!Number.isFinite(t)) return t > 0 ? 1 : 0;
  // x = degrees / (degrees + t^2) without overflow of t^2.
  const r = (t / degrees) * t;
  const x = 1 / (1 + r);
  const y = r === Number.POSITIVE_INFINITY ? 1 : r / (1 + r);
  const tail = r > 1e300 ? farTail(t, degrees) : 0.5 * betaincPair(degrees / 2, 0.5, x, y);
  return t > 0 ? 1 - tail : tail;
}

/** Beyond `t^2 / degrees = 1e300` the tail is a pure power; its scale comes from a point that does not overflow. */
function farTail(t: number, degrees: number): number {
  const anchor = 1e100;
  const value = 0.5 * betaincPair(degrees / 2, 0.5, 1 / anchor, 1);
  return value * Math.exp(degrees * (0.5 * Math.log(anchor * degrees) - Math.log(Math.abs(t))));
}

/** Inverse of {@link studentTCdf} in `t`, for `p` in [0, 1] (`NaN` outside). */
export function studentTQuantile(p: number, degrees: number): number {
  if (!(p >= 0 && p <= 1 && degrees > 0)) return Number.NaN;
  if (degrees === Number.POSITIVE_INFINITY) return normalQuantile(p);
  if (p === 0 || p === 1) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (p > 0.5) return -studentTQuantile(1 - p, degrees);
  // Near the median the centre is inverted, 1 - 2p = I_y(1/2, degrees/2); in the tail, 2p = I_x(degrees/2, 1/2).
  if (p > 0.25) {
    if (p === 0.5) return 0;
    const { logX, logY } = betaincinvLogs(0.5, degrees / 2, 1 - 2 * p);
    return -Math.sqrt(degrees) * Math.exp((logX - logY) / 2);
  }
  const { logX, logY } = betaincinvLogs(degrees / 2, 0.5, 2 * p);
  return -Math.sqrt(degrees) * Math.exp((logY - logX) / 2);
}
