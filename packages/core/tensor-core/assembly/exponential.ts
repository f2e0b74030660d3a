/*
 * Adding 1.5 * 2^52 (float32: 1.5 * 2^23) rounds a small number to an integer and leaves that integer in the low bits
 * of the sum; shifted to the exponent's place it becomes a power of two.
 */
import { EXP_32, EXP_64, EXP_NEAR_64, LN2_32, LN2_64, LN2_BY_256_64, ROOTS_64 } from "./coefficients";
import { BIAS, bits, EXP_HIGHEST, EXP_LOWEST, EXP_NORMAL, HALF, LOG2_E, LOG2_E_TIMES_256, mantissaBits, num, ONE, ROUNDER, TANH_TWICE, TWO, withSignOf } from "./constants";
import { choose, entry, pick, polynomial } from "./lanes";

/** round(x / ln 2) + ROUNDER */
// @ts-ignore: decorator
@inline
export function rounded<T>(x: v128): v128 {
  return v128.add<T>(v128.mul<T>(x, num<T>(LOG2_E)), num<T>(ROUNDER));
}

/** e^r - 1 for r = x - n ln 2, |r| <= ln(2) / 2. */
// @ts-ignore: decorator
@inline
function reducedExpm1<T>(x: v128, n: v128): v128 {
  const ln2 = pick<T>(LN2_64, LN2_32);
  const r = v128.sub<T>(v128.sub<T>(x, v128.mul<T>(n, entry<T>(ln2, 0))), v128.mul<T>(n, entry<T>(ln2, 1)));
  const tail = polynomial<T>(pick<T>(EXP_64, EXP_32), sizeof<T>() == 8 ? 9 : 4, r);
  return v128.add<T>(r, v128.mul<T>(v128.mul<T>(r, r), tail));
}

/** 2^n from n + ROUNDER, for n in the range of normal exponents. */
// @ts-ignore: decorator
@inline
export function power<T, I>(shifted: v128): v128 {
  return v128.shl<I>(v128.add<I>(shifted, bits<T>(BIAS)), mantissaBits<T>());
}

/**
 * float64 exp where every lane has |x| <= EXP_NORMAL: e^x = 2^k 2^(j/256) e^r with |r| <= ln(2) / 512, so that a short
 * polynomial is enough (P. Tang, "Table-driven implementation of the exponential function", ACM TOMS 15, 1989).
 */
// @ts-ignore: decorator
@inline
function expByTable(x: v128): v128 {
  const shifted = f64x2.add(f64x2.mul(x, num<f64>(LOG2_E_TIMES_256)), num<f64>(ROUNDER));
  const n = f64x2.sub(shifted, num<f64>(ROUNDER));
  let r = f64x2.sub(x, f64x2.mul(n, entry<f64>(LN2_BY_256_64, 0)));
  r = f64x2.sub(r, f64x2.mul(n, entry<f64>(LN2_BY_256_64, 1)));
  const p = f64x2.add(r, f64x2.mul(f64x2.mul(r, r), polynomial<f64>(EXP_NEAR_64, 2, r)));
  const j0 = i32x4.extract_lane(shifted, 0) & 255;
  const j1 = i32x4.extract_lane(shifted, 2) & 255;
  const roots = v128.load64_lane(<usize>j1 << 3, v128.load64_zero(<usize>j0 << 3, ROOTS_64), 1, ROOTS_64);
  const scale = i64x2.add(roots, i64x2.shl(shifted, 44));
  return f64x2.add(scale, f64x2.mul(scale, p));
}

/** exp where every lane has |x| <= EXP_NORMAL. */
// @ts-ignore: decorator
@inline
export function expNormal<T, I>(x: v128): v128 {
  if (sizeof<T>() == 8) return expByTable(x);
  const shifted = rounded<T>(x);
  const y = v128.add<T>(num<T>(ONE), reducedExpm1<T>(x, v128.sub<T>(shifted, num<T>(ROUNDER))));
  return v128.add<I>(y, v128.shl<I>(shifted, mantissaBits<T>()));
}

/**
 * exp over the whole range: the power of two is applied in two halves, so that subnormal results round once. Where the
 * result is 0 it is put there: a product that rounds to 0 takes the processor a hundred times as long as another.
 */
export function expAny<T, I>(x: v128): v128 {
  const vanishes = v128.lt<T>(x, num<T>(EXP_LOWEST));
  const clamped = v128.andnot(v128.min<T>(x, num<T>(EXP_HIGHEST)), vanishes);
  const n = v128.sub<T>(rounded<T>(clamped), num<T>(ROUNDER));
  const y = v128.add<T>(num<T>(ONE), reducedExpm1<T>(clamped, n));
  const half = v128.add<T>(v128.mul<T>(n, num<T>(HALF)), num<T>(ROUNDER));
  const rest = v128.add<T>(v128.sub<T>(n, v128.sub<T>(half, num<T>(ROUNDER))), num<T>(ROUNDER));
  return v128.andnot(v128.mul<T>(v128.mul<T>(y, power<T, I>(half)), power<T, I>(rest)), vanishes);
}

/** e^x - 1 where every lane has |x| <= EXP_NORMAL. */
// @ts-ignore: decorator
@inline
export function expm1Normal<T, I>(x: v128): v128 {
  const shifted = rounded<T>(x);
  const y = reducedExpm1<T>(x, v128.sub<T>(shifted, num<T>(ROUNDER)));
  const scale = power<T, I>(shifted);
  return withSignOf<T>(v128.add<T>(v128.sub<T>(scale, num<T>(ONE)), v128.mul<T>(scale, y)), x);
}

export function expm1Any<T, I>(x: v128): v128 {
  const limit = num<T>(EXP_NORMAL);
  const inside = v128.max<T>(v128.min<T>(x, limit), v128.neg<T>(limit));
  return choose(v128.gt<T>(x, limit), expAny<T, I>(x), expm1Normal<T, I>(inside));
}

/** tanh = (e^2x - 1) / (e^2x + 1) on |x|. */
// @ts-ignore: decorator
@inline
export function tanhOf<T, I>(x: v128): v128 {
  const e = expm1Normal<T, I>(v128.pmin<T>(v128.abs<T>(v128.add<T>(x, x)), num<T>(TANH_TWICE)));
  return withSignOf<T>(v128.div<T>(e, v128.add<T>(e, num<T>(TWO))), x);
}

/** 1 / (1 + e^-x) from e = e^-|x|, so that neither side overflows or cancels. */
// @ts-ignore: decorator
@inline
export function sigmoidOf<T>(x: v128, e: v128): v128 {
  const top = choose(v128.ge<T>(x, v128.splat<T>(0)), num<T>(ONE), e);
  return v128.div<T>(top, v128.add<T>(num<T>(ONE), e));
}
