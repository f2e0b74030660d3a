import { ERF_32, ERF_64, ERFC_32, ERFC_64 } from "./coefficients";
import { ERF_ONE, num, ONE, THREE, withSignOf } from "./constants";
import { expNormal } from "./exponential";
import { choose, pick, polynomial } from "./lanes";

/** erf(|x|) for |x| >= 1. */
function erfOuter<T, I>(x: v128): v128 {
  const a = v128.pmin<T>(v128.pmax<T>(v128.abs<T>(x), num<T>(ONE)), num<T>(ERF_ONE));
  const t = v128.div<T>(v128.sub<T>(a, num<T>(THREE)), v128.add<T>(a, num<T>(THREE)));
  const scaled = polynomial<T>(pick<T>(ERFC_64, ERFC_32), sizeof<T>() == 8 ? 16 : 7, t);
  const tail = expNormal<T, I>(v128.neg<T>(v128.mul<T>(a, a)));
  return v128.sub<T>(num<T>(ONE), v128.div<T>(v128.mul<T>(tail, scaled), a));
}

// @ts-ignore: decorator
@inline
export function erfOf<T, I>(x: v128): v128 {
  const inside = v128.le<T>(v128.abs<T>(x), num<T>(ONE));
  const inner = v128.mul<T>(
    x, polynomial<T>(pick<T>(ERF_64, ERF_32), sizeof<T>() == 8 ? 11 : 5, v128.mul<T>(x, x)),
  );
  if (v128.all_true<I>(inside)) return inner;
  const outer = choose(v128.eq<T>(x, x), withSignOf<T>(erfOuter<T, I>(x), x), x);
  return choose(inside, inner, outer);
}
