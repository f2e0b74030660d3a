/*
 * Elementwise maps, in place; lengths are rounded up to 32 bytes, so the buffer needs room for that.
 *
 * Adding 1.5 * 2^52 (float32: 1.5 * 2^23) rounds a small number to an integer and leaves that integer in the low bits
 * of the sum; shifted to the exponent's place it becomes a power of two.
 */
import {
  COS_32, COS_64, ERFC_32, ERFC_64, ERF_32, ERF_64, EXP_32, EXP_64, EXP_NEAR_64, HALF_PI_32, HALF_PI_64, LN2_32, LN2_64, LN2_BY_256_64, LOG_32,
  LOG_64, ROOTS_64, SIN_32, SIN_64,
} from "./coefficients";
import { choose, entry, pick, polynomial } from "./lanes";

const ONE: i32 = 0;
const TWO: i32 = 1;
const HALF: i32 = 2;
const THREE: i32 = 3;
const ROUNDER: i32 = 4;
const LOG2_E: i32 = 5;
const TWO_OVER_PI: i32 = 6;
const MIN_NORMAL: i32 = 7;
/** Beyond this magnitude the result of exp may be subnormal or infinite. */
const EXP_NORMAL: i32 = 8;
/** Beyond these the result of exp is infinite or zero. */
const EXP_HIGHEST: i32 = 9;
const EXP_LOWEST: i32 = 10;
/** A power of two that makes subnormal numbers normal, and minus its exponent. */
const LIFT: i32 = 11;
const LIFT_EXPONENT: i32 = 12;
/** From here on tanh rounds to 1 at half and erf to 1 at the full argument. */
const TANH_TWICE: i32 = 13;
const ERF_ONE: i32 = 14;
/** Up to here n times the leading parts of pi / 2 is exact. */
const TRIG_LIMIT: i32 = 15;
const EXPONENT_OFFSET: i32 = 16;
const NOT_A_NUMBER: i32 = 17;
const INFINITE: i32 = 18;
const LOG2_E_TIMES_256: i32 = 19;
const NUMBERS_64: usize = memory.data<f64>([
  1, 2, 0.5, 3, 6755399441055744, 1.4426950408889634, 0.6366197723675814, 2.2250738585072014e-308, 708, 710, -746,
  18014398509481984, -54, 44, 6, 1048576, 4503599627371519, NaN, Infinity,
  369.3299304675746,
]);
const NUMBERS_32: usize = memory.data<f32>([
  1, 2, 0.5, 3, 12582912, 1.4426950408889634, 0.6366197723675814, 1.1754943508222875e-38, 87, 89, -104,
  33554432, -25, 20, 4, 4096, 8388735, NaN, Infinity,
]);

const BIAS: i32 = 0;
const MANTISSA: i32 = 1;
const SIGN: i32 = 2;
/** Bits of sqrt(1/2), rounded (mantissas are brought into [sqrt(1/2), sqrt(2))), and of 1 less those. */
const ROOT_HALF: i32 = 3;
const ABOVE_ROOT_HALF: i32 = 4;
/** The exponent bits of 2^52 (float32: 2^23): joined to an integer below it they make a number. */
const INTEGER_EXPONENT: i32 = 5;
const BIT_0: i32 = 6;
const BIT_1: i32 = 7;
const BITS_64: usize = memory.data<i64>([
  1023, 0x000fffffffffffff, 0x8000000000000000, 0x3fe6a09e00000000, 0x00095f6200000000, 0x4330000000000000, 1, 2,
]);
const BITS_32: usize = memory.data<i32>([
  127, 0x007fffff, 0x80000000, 0x3f3504f3, 0x004afb0d, 0x4b000000, 1, 2,
]);

// @ts-ignore: decorator
@inline
function num<T>(index: i32): v128 {
  return entry<T>(pick<T>(NUMBERS_64, NUMBERS_32), index);
}

// @ts-ignore: decorator
@inline
function bits<T>(index: i32): v128 {
  return entry<T>(pick<T>(BITS_64, BITS_32), index);
}

/** Bits of the mantissa. */
// @ts-ignore: decorator
@inline
function mantissaBits<T>(): i32 {
  return sizeof<T>() == 8 ? 52 : 23;
}

// @ts-ignore: decorator
@inline
function withSignOf<T>(magnitude: v128, x: v128): v128 {
  return choose(bits<T>(SIGN), x, magnitude);
}

// @ts-ignore: decorator
@inline
function shiftRight<I>(x: v128, count: i32): v128 {
  return sizeof<I>() == 8 ? i64x2.shr_u(x, count) : i32x4.shr_u(x, count);
}

/** round(x / ln 2) + ROUNDER */
// @ts-ignore: decorator
@inline
function rounded<T>(x: v128): v128 {
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
function power<T, I>(shifted: v128): v128 {
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
function expNormal<T, I>(x: v128): v128 {
  if (sizeof<T>() == 8) return expByTable(x);
  const shifted = rounded<T>(x);
  const y = v128.add<T>(num<T>(ONE), reducedExpm1<T>(x, v128.sub<T>(shifted, num<T>(ROUNDER))));
  return v128.add<I>(y, v128.shl<I>(shifted, mantissaBits<T>()));
}

/** exp over the whole range: the power of two is applied in two halves, so that subnormal results round once. */
function expAny<T, I>(x: v128): v128 {
  const clamped = v128.max<T>(v128.min<T>(x, num<T>(EXP_HIGHEST)), num<T>(EXP_LOWEST));
  const n = v128.sub<T>(rounded<T>(clamped), num<T>(ROUNDER));
  const y = v128.add<T>(num<T>(ONE), reducedExpm1<T>(clamped, n));
  const half = v128.add<T>(v128.mul<T>(n, num<T>(HALF)), num<T>(ROUNDER));
  const rest = v128.add<T>(v128.sub<T>(n, v128.sub<T>(half, num<T>(ROUNDER))), num<T>(ROUNDER));
  return v128.mul<T>(v128.mul<T>(y, power<T, I>(half)), power<T, I>(rest));
}

/** e^x - 1 where every lane has |x| <= EXP_NORMAL. */
// @ts-ignore: decorator
@inline
function expm1Normal<T, I>(x: v128): v128 {
  const shifted = rounded<T>(x);
  const y = reducedExpm1<T>(x, v128.sub<T>(shifted, num<T>(ROUNDER)));
  const scale = power<T, I>(shifted);
  return withSignOf<T>(v128.add<T>(v128.sub<T>(scale, num<T>(ONE)), v128.mul<T>(scale, y)), x);
}

function expm1Any<T, I>(x: v128): v128 {
  const limit = num<T>(EXP_NORMAL);
  const inside = v128.max<T>(v128.min<T>(x, limit), v128.neg<T>(limit));
  return choose(v128.gt<T>(x, limit), expAny<T, I>(x), expm1Normal<T, I>(inside));
}

/** log where every lane is a positive normal number; `extra` is added to the exponent. */
// @ts-ignore: decorator
@inline
function logNormal<T, I>(x: v128, extra: v128 = v128.splat<T>(0)): v128 {
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
function positiveNormal<T>(x: v128): v128 {
  return v128.and(v128.ge<T>(x, num<T>(MIN_NORMAL)), v128.lt<T>(x, num<T>(INFINITE)));
}

/** log over the whole range: log(0) = -inf, log(negative) = NaN, log(inf) = inf, log(NaN) = NaN. */
function logAny<T, I>(x: v128): v128 {
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
function log1pNormal<T>(x: v128, u: v128, y: v128): v128 {
  const lost = v128.div<T>(v128.sub<T>(x, v128.sub<T>(u, num<T>(ONE))), u);
  return withSignOf<T>(v128.add<T>(y, lost), x);
}

function log1pAny<T, I>(x: v128): v128 {
  const u = v128.add<T>(num<T>(ONE), x);
  const y = logAny<T, I>(u);
  return choose(positiveNormal<T>(u), log1pNormal<T>(x, u, y), y);
}

/** tanh = (e^2x - 1) / (e^2x + 1) on |x|. */
// @ts-ignore: decorator
@inline
function tanhOf<T, I>(x: v128): v128 {
  const e = expm1Normal<T, I>(v128.pmin<T>(v128.abs<T>(v128.add<T>(x, x)), num<T>(TANH_TWICE)));
  return withSignOf<T>(v128.div<T>(e, v128.add<T>(e, num<T>(TWO))), x);
}

/** 1 / (1 + e^-x) from e = e^-|x|, so that neither side overflows or cancels. */
// @ts-ignore: decorator
@inline
function sigmoidOf<T>(x: v128, e: v128): v128 {
  const top = choose(v128.ge<T>(x, v128.splat<T>(0)), num<T>(ONE), e);
  return v128.div<T>(top, v128.add<T>(num<T>(ONE), e));
}

/** sin(x), or cos(x) as sin(x + pi / 2), for |x| <= TRIG_LIMIT. */
// @ts-ignore: decorator
@inline
function sineOf<T, I>(x: v128, cosine: bool): v128 {
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
function erfOf<T, I>(x: v128): v128 {
  const inside = v128.le<T>(v128.abs<T>(x), num<T>(ONE));
  const inner = v128.mul<T>(
    x, polynomial<T>(pick<T>(ERF_64, ERF_32), sizeof<T>() == 8 ? 11 : 5, v128.mul<T>(x, x)),
  );
  if (v128.all_true<I>(inside)) return inner;
  const outer = choose(v128.eq<T>(x, x), withSignOf<T>(erfOuter<T, I>(x), x), x);
  return choose(inside, inner, outer);
}

const EXP: i32 = 0;
const EXPM1: i32 = 1;
const LOG: i32 = 2;
const LOG1P: i32 = 3;
const TANH: i32 = 4;
const SIGMOID: i32 = 5;
const SIN: i32 = 6;
const COS: i32 = 7;
const SQRT: i32 = 8;
const ERF: i32 = 9;

/** The map numbered `which` for lanes that pass `easy`. */
// @ts-ignore: decorator
@inline
function quick<T, I>(which: i32, x: v128): v128 {
  if (which == EXP) return expNormal<T, I>(x);
  if (which == EXPM1) return expm1Normal<T, I>(x);
  if (which == LOG) return logNormal<T, I>(x);
  if (which == LOG1P) {
    const u = v128.add<T>(num<T>(ONE), x);
    return log1pNormal<T>(x, u, logNormal<T, I>(u));
  }
  if (which == TANH) return tanhOf<T, I>(x);
  if (which == SIGMOID) return sigmoidOf<T>(x, expNormal<T, I>(v128.neg<T>(v128.abs<T>(x))));
  if (which == SIN) return sineOf<T, I>(x, false);
  if (which == COS) return sineOf<T, I>(x, true);
  if (which == SQRT) return v128.sqrt<T>(x);
  return erfOf<T, I>(x);
}

/** Updates a record of whether all lanes so far suit `quick`; NaN suits exp and its kin, which pass it on. */
// @ts-ignore: decorator
@inline
function watch<T>(which: i32, record: v128, x: v128): v128 {
  if (which == EXP || which == EXPM1 || which == SIGMOID) return v128.pmax<T>(record, v128.abs<T>(x));
  if (which == SIN || which == COS) return v128.and(record, v128.le<T>(v128.abs<T>(x), num<T>(TRIG_LIMIT)));
  if (which == LOG) return v128.and(record, positiveNormal<T>(x));
  if (which == LOG1P) return v128.and(record, positiveNormal<T>(v128.add<T>(num<T>(ONE), x)));
  return record;
}

/**
 * Applies one map to `n` elements at `p`; returns 0, or 1 where some element needs `applyAny`: then all are void.
 * `which` is a constant at every call, so each map gets its own loop.
 */
// @ts-ignore: decorator
@inline
function apply<T, I>(which: i32, p: usize, n: i32): i32 {
  const magnitude = which == EXP || which == EXPM1 || which == SIGMOID;
  let record = i64x2.splat(magnitude ? 0 : -1);
  for (const end = p + <usize>n * sizeof<T>(); p < end; p += 32) {
    const x0 = v128.load(p), x1 = v128.load(p, 16);
    record = watch<T>(which, watch<T>(which, record, x0), x1);
    const y0 = quick<T, I>(which, x0), y1 = quick<T, I>(which, x1);
    v128.store(p, y0);
    v128.store(p, y1, 16);
  }
  if (magnitude) record = v128.le<T>(record, num<T>(EXP_NORMAL));
  return v128.all_true<I>(record) ? 0 : 1;
}

/** The same for elements of any value; sin and cos have no such version here. */
function applyAny<T, I>(which: i32, p: usize, n: i32): void {
  for (const end = p + <usize>n * sizeof<T>(); p < end; p += 16) {
    const x = v128.load(p);
    let y = x;
    if (which == EXP) y = expAny<T, I>(x);
    else if (which == EXPM1) y = expm1Any<T, I>(x);
    else if (which == LOG) y = logAny<T, I>(x);
    else if (which == LOG1P) y = log1pAny<T, I>(x);
    else y = sigmoidOf<T>(x, expAny<T, I>(v128.neg<T>(v128.abs<T>(x))));
    v128.store(p, y);
  }
}

/** `applyAny` for float64 and the map numbered `which`. */
export function mapAny_64(which: i32, p: usize, n: i32): void {
  applyAny<f64, i64>(which, p, n);
}

/** `applyAny` for float32 and the map numbered `which`. */
export function mapAny_32(which: i32, p: usize, n: i32): void {
  applyAny<f32, i32>(which, p, n);
}

export function exp_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(EXP, p, n);
}

export function expm1_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(EXPM1, p, n);
}

export function log_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(LOG, p, n);
}

export function log1p_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(LOG1P, p, n);
}

export function tanh_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(TANH, p, n);
}

export function sigmoid_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(SIGMOID, p, n);
}

export function sin_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(SIN, p, n);
}

export function cos_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(COS, p, n);
}

export function sqrt_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(SQRT, p, n);
}

export function erf_64(p: usize, n: i32): i32 {
  return apply<f64, i64>(ERF, p, n);
}

export function exp_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(EXP, p, n);
}

export function expm1_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(EXPM1, p, n);
}

export function log_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(LOG, p, n);
}

export function log1p_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(LOG1P, p, n);
}

export function tanh_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(TANH, p, n);
}

export function sigmoid_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(SIGMOID, p, n);
}

export function sin_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(SIN, p, n);
}

export function cos_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(COS, p, n);
}

export function sqrt_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(SQRT, p, n);
}

export function erf_32(p: usize, n: i32): i32 {
  return apply<f32, i32>(ERF, p, n);
}
