import { borderTile } from "./memory";

const ADD: i32 = 0;
const SUBTRACT: i32 = 1;
const MULTIPLY: i32 = 2;
const DIVIDE: i32 = 3;

// @ts-ignore: decorator
@inline
function combine<T>(which: i32, a: v128, b: v128): v128 {
  if (which == ADD) return v128.add<T>(a, b);
  if (which == SUBTRACT) return v128.sub<T>(a, b);
  if (which == MULTIPLY) return v128.mul<T>(a, b);
  return v128.div<T>(a, b);
}

/** a[i] = a[i] op b[i] for `n` elements, rounded up to 32 bytes. */
// @ts-ignore: decorator
@inline
function binary<T>(which: i32, a: usize, b: usize, n: i32): void {
  for (const end = a + <usize>n * sizeof<T>(); a < end; a += 32) {
    v128.store(a, combine<T>(which, v128.load(a), v128.load(b)));
    v128.store(a, combine<T>(which, v128.load(a, 16), v128.load(b, 16)), 16);
    b += 32;
  }
}

export function add_64(a: usize, b: usize, n: i32): void {
  binary<f64>(ADD, a, b, n);
}

export function subtract_64(a: usize, b: usize, n: i32): void {
  binary<f64>(SUBTRACT, a, b, n);
}

export function multiply_64(a: usize, b: usize, n: i32): void {
  binary<f64>(MULTIPLY, a, b, n);
}

export function divide_64(a: usize, b: usize, n: i32): void {
  binary<f64>(DIVIDE, a, b, n);
}

export function add_32(a: usize, b: usize, n: i32): void {
  binary<f32>(ADD, a, b, n);
}

export function subtract_32(a: usize, b: usize, n: i32): void {
  binary<f32>(SUBTRACT, a, b, n);
}

export function multiply_32(a: usize, b: usize, n: i32): void {
  binary<f32>(MULTIPLY, a, b, n);
}

export function divide_32(a: usize, b: usize, n: i32): void {
  binary<f32>(DIVIDE, a, b, n);
}

/** Sum of `n` float64, in four pairs of running sums. */
export function sum_64(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let i = 0;
  for (; i <= n - 8; i += 8) {
    s0 = f64x2.add(s0, v128.load(x));
    s1 = f64x2.add(s1, v128.load(x, 16));
    s2 = f64x2.add(s2, v128.load(x, 32));
    s3 = f64x2.add(s3, v128.load(x, 48));
    x += 64;
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < n; i++) {
    sum += load<f64>(x);
    x += 8;
  }
  return sum;
}

/** Sum of `n` float32, in float64. */
export function sum_32(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let i = 0;
  for (; i <= n - 8; i += 8) {
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v128.load64_zero(x)));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(v128.load64_zero(x, 16)));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.load64_zero(x, 24)));
    x += 32;
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < n; i++) {
    sum += <f64>load<f32>(x);
    x += 4;
  }
  return sum;
}

/** Largest or smallest of `n` >= 1 elements; NaN where one is NaN. */
// @ts-ignore: decorator
@inline
function extreme<T>(x: usize, n: i32, largest: bool): T {
  const size = sizeof<T>();
  const lanes = 16 / <i32>size;
  let best = load<T>(x);
  let i = 0;
  let b0 = v128.splat<T>(best), b1 = b0;
  let good = v128.eq<T>(b0, b0);
  for (; i <= n - 2 * lanes; i += 2 * lanes) {
    const x0 = v128.load(x), x1 = v128.load(x, 16);
    good = v128.and(good, v128.and(v128.eq<T>(x0, x0), v128.eq<T>(x1, x1)));
    b0 = largest ? v128.pmax<T>(b0, x0) : v128.pmin<T>(b0, x0);
    b1 = largest ? v128.pmax<T>(b1, x1) : v128.pmin<T>(b1, x1);
    x += 32;
  }
  if (~i64x2.extract_lane(good, 0) | ~i64x2.extract_lane(good, 1)) return <T>NaN;
  b0 = largest ? v128.pmax<T>(b0, b1) : v128.pmin<T>(b0, b1);
  const aside = borderTile();
  v128.store(aside, b0);
  for (let lane = 0; lane < lanes; lane++) best = better<T>(best, load<T>(aside + <usize>lane * size), largest);
  for (; i < n; i++) {
    const value = load<T>(x);
    if (value != value) return value;
    best = better<T>(best, value, largest);
    x += size;
  }
  return best;
}

// @ts-ignore: decorator
@inline
function better<T>(a: T, b: T, largest: bool): T {
  return (largest ? b > a : b < a) ? b : a;
}

export function max_32(x: usize, n: i32): f32 {
  return extreme<f32>(x, n, true);
}

export function min_32(x: usize, n: i32): f32 {
  return extreme<f32>(x, n, false);
}

export function max_64(x: usize, n: i32): f64 {
  return extreme<f64>(x, n, true);
}

export function min_64(x: usize, n: i32): f64 {
  return extreme<f64>(x, n, false);
}
