import { COS_32, COS_64, HALF_PI_32, HALF_PI_64, SIN_32, SIN_64 } from "./coefficients";
import { BIT_0, BIT_1, bits, HALF, num, ONE, ROUNDER, TRIG_LIMIT, TWO_OVER_PI } from "./constants";
import { choose, entry, pick, polynomial } from "./lanes";

/** sin(x), or cos(x) as sin(x + pi / 2), for |x| <= TRIG_LIMIT. */
// @ts-ignore: decorator
@inline
export function sineOf<T, I>(x: v128, cosine: bool): v128 {
  const shifted = v128.add<T>(v128.mul<T>(x, num<T>(TWO_OVER_PI)), num<T>(ROUNDER));
  const n = v128.sub<T>(shifted, num<T>(ROUNDER));
  const halfPi = pick<T>(HALF_PI_64, HALF_PI_32);
  let r = v128.sub<T>(x, v128.mul<T>(n, entry<T>(halfPi, 0)));
  r = v128.sub<T>(r, v128.mul<T>(n, entry<T>(halfPi, 1)));
  r = v128.sub<T>(r, v128.mul<T>(n, entry<T>(halfPi, 2)));
  const z = v128.mul<T>(r, r);
  const degree = sizeof<T>() == 8 ? 5 : 2;
  const sinTail = polynomial<T>(pick<T>(SIN_64, SIN_32), degree, z);
  const s = v128.add<T>(r, v128.mul<T>(v128.mul<T>(r, z), sinTail));
  const cosTail = polynomial<T>(pick<T>(COS_64, COS_32), degree, z);
  const half = v128.mul<T>(num<T>(HALF), z);
  const whole = v128.sub<T>(num<T>(ONE), half);
  const lost = v128.sub<T>(v128.sub<T>(num<T>(ONE), whole), half);
  const c = v128.add<T>(whole, v128.add<T>(lost, v128.mul<T>(v128.mul<T>(z, z), cosTail)));
  const turns = cosine ? v128.add<I>(shifted, bits<T>(BIT_0)) : shifted;
  const even = v128.eq<I>(v128.and(turns, bits<T>(BIT_0)), v128.splat<I>(0));
  const flip = v128.shl<I>(v128.and(turns, bits<T>(BIT_1)), sizeof<T>() == 8 ? 62 : 30);
  const y = v128.xor(choose(even, s, c), flip);
  // sin(-0) = -0
  return cosine ? y : choose(v128.eq<T>(x, v128.splat<T>(0)), x, y);
}
