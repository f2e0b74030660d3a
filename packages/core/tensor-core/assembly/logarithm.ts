import { LN2_32, LN2_64, LOG_32, LOG_64 } from "./coefficients";
import { ABOVE_ROOT_HALF, bits, EXPONENT_OFFSET, HALF, INFINITE, INTEGER_EXPONENT, LIFT, LIFT_EXPONENT, MANTISSA, MIN_NORMAL, mantissaBits, NOT_A_NUMBER, num, ONE, ROOT_HALF, shiftRight, TWO, withSignOf } from "./constants";
import { choose, entry, pick, polynomial } from "./lanes";

/** log where every lane is a positive normal number; `extra` is added to the exponent. */
// @ts-ignore: decorator
@inline
export function logNormal<T, I>(x: v128, extra: v128 = v128.splat<T>(0)): v128 {
  const moved = v128.add<I>(x, bits<T>(ABOVE_ROOT_HALF));
  const biased = v128.or(shiftRight<I>(moved, mantissaBits<T>()), bits<T>(INTEGER_EXPONENT));
  const k = v128.add<T>(v128.sub<T>(biased, num<T>(EXPONENT_OFFSET)), extra);
  const mantissa = v128.add<I>(v128.and(moved, bits<T>(MANTISSA)), bits<T>(ROOT_HALF));
  const f = v128.sub<T>(mantissa, num<T>(ONE));
  const s = v128.div<T>(f, v128.add<T>(num<T>(TWO), f));
  const z = v128.mul<T>(s, s);
  const tail = v128.mul<T>(polynomial<T>(pick<T>(LOG_64, LOG_32), sizeof<T>() == 8 ? 6 : 2, z), z);
  // log(1 + f) = f - (f^2/2 - s (f^2/2 + z p)), with the small parts summed first.
  const ln2 = pick<T>(LN2_64, LN2_32);
  const square = v128.mul<T>(num<T>(HALF), v128.mul<T>(f, f));
  const small = v128.add<T>(v128.mul<T>(s, v128.add<T>(square, tail)), v128.mul<T>(k, entry<T>(ln2, 1)));
  return v128.sub<T>(v128.mul<T>(k, entry<T>(ln2, 0)), v128.sub<T>(v128.sub<T>(square, small), f));
}

/** Where x is a positive normal number. */
// @ts-ignore: decorator
@inline
export function positiveNormal<T>(x: v128): v128 {
  return v128.and(v128.ge<T>(x, num<T>(MIN_NORMAL)), v128.lt<T>(x, num<T>(INFINITE)));
}

/** log over the whole range: log(0) = -inf, log(negative) = NaN, log(inf) = inf, log(NaN) = NaN. */
export function logAny<T, I>(x: v128): v128 {
  const zero = v128.splat<T>(0);
  const tiny = v128.lt<T>(x, num<T>(MIN_NORMAL));
  const lifted = choose(tiny, v128.mul<T>(x, num<T>(LIFT)), x);
  const y = logNormal<T, I>(lifted, v128.and(tiny, num<T>(LIFT_EXPONENT)));
  const positive = v128.gt<T>(x, zero);
  const finite = v128.and(positive, v128.lt<T>(x, num<T>(INFINITE)));
  const atMostZero = choose(v128.eq<T>(x, zero), v128.neg<T>(num<T>(INFINITE)), num<T>(NOT_A_NUMBER));
  return choose(finite, y, choose(positive, x, atMostZero));
}

/** log(1 + x) from u = 1 + x and y = log(u): what rounding u lost is carried through to first order. */
// @ts-ignore: decorator
@inline
export function log1pNormal<T>(x: v128, u: v128, y: v128): v128 {
  const lost = v128.div<T>(v128.sub<T>(x, v128.sub<T>(u, num<T>(ONE))), u);
  return withSignOf<T>(v128.add<T>(y, lost), x);
}

export function log1pAny<T, I>(x: v128): v128 {
  const u = v128.add<T>(num<T>(ONE), x);
  const y = logAny<T, I>(u);
  return choose(positiveNormal<T>(u), log1pNormal<T>(x, u, y), y);
}
