/* Elementwise maps, in place; lengths are rounded up to 32 bytes, so the buffer needs room for that. */
import { EXP_NORMAL, num, ONE, TRIG_LIMIT } from "./constants";
import { expAny, expm1Any, expm1Normal, expNormal, sigmoidOf, tanhOf } from "./exponential";
import { log1pAny, log1pNormal, logAny, logNormal, positiveNormal } from "./logarithm";
import { sineOf } from "./trigonometric";

const EXP: i32 = 0;
const EXPM1: i32 = 1;
const LOG: i32 = 2;
const LOG1P: i32 = 3;
const TANH: i32 = 4;
const SIGMOID: i32 = 5;
const SIN: i32 = 6;
const COS: i32 = 7;
const SQRT: i32 = 8;

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
  return v128.sqrt<T>(x);
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
