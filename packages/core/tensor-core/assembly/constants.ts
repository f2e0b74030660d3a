/* The numbers and bit patterns of the elementwise maps, for both element types. */
import { choose, entry, pick } from "./lanes";

export const ONE: i32 = 0;
export const TWO: i32 = 1;
export const HALF: i32 = 2;
export const ROUNDER: i32 = 3;
export const LOG2_E: i32 = 4;
export const TWO_OVER_PI: i32 = 5;
export const MIN_NORMAL: i32 = 6;
/** Beyond this magnitude the result of exp may be subnormal or infinite. */
export const EXP_NORMAL: i32 = 7;
/** Beyond these the result of exp is infinite or zero. */
export const EXP_HIGHEST: i32 = 8;
export const EXP_LOWEST: i32 = 9;
/** A power of two that makes subnormal numbers normal, and minus its exponent. */
export const LIFT: i32 = 10;
export const LIFT_EXPONENT: i32 = 11;
/** From here on tanh rounds to 1 at half the argument. */
export const TANH_TWICE: i32 = 12;
/** Up to here n times the leading parts of pi / 2 is exact. */
export const TRIG_LIMIT: i32 = 13;
export const EXPONENT_OFFSET: i32 = 14;
export const NOT_A_NUMBER: i32 = 15;
export const INFINITE: i32 = 16;
export const LOG2_E_TIMES_256: i32 = 17;
const NUMBERS_64: usize = memory.data<f64>([
  1, 2, 0.5, 6755399441055744, 1.4426950408889634, 0.6366197723675814, 2.2250738585072014e-308, 708, 710, -746,
  18014398509481984, -54, 44, 1048576, 4503599627371519, NaN, Infinity,
  369.3299304675746,
]);
const NUMBERS_32: usize = memory.data<f32>([
  1, 2, 0.5, 12582912, 1.4426950408889634, 0.6366197723675814, 1.1754943508222875e-38, 87, 89, -104,
  33554432, -25, 20, 4096, 8388735, NaN, Infinity,
]);

export const BIAS: i32 = 0;
export const MANTISSA: i32 = 1;
export const SIGN: i32 = 2;
/** Bits of sqrt(1/2), rounded (mantissas are brought into [sqrt(1/2), sqrt(2))), and of 1 less those. */
export const ROOT_HALF: i32 = 3;
export const ABOVE_ROOT_HALF: i32 = 4;
/** The exponent bits of 2^52 (float32: 2^23): joined to an integer below it they make a number. */
export const INTEGER_EXPONENT: i32 = 5;
export const BIT_0: i32 = 6;
export const BIT_1: i32 = 7;
const BITS_64: usize = memory.data<i64>([
  1023, 0x000fffffffffffff, 0x8000000000000000, 0x3fe6a09e00000000, 0x00095f6200000000, 0x4330000000000000, 1, 2,
]);
const BITS_32: usize = memory.data<i32>([
  127, 0x007fffff, 0x80000000, 0x3f3504f3, 0x004afb0d, 0x4b000000, 1, 2,
]);

// @ts-ignore: decorator
@inline
export function num<T>(index: i32): v128 {
  return entry<T>(pick<T>(NUMBERS_64, NUMBERS_32), index);
}

// @ts-ignore: decorator
@inline
export function bits<T>(index: i32): v128 {
  return entry<T>(pick<T>(BITS_64, BITS_32), index);
}

/** Bits of the mantissa. */
// @ts-ignore: decorator
@inline
export function mantissaBits<T>(): i32 {
  return sizeof<T>() == 8 ? 52 : 23;
}

// @ts-ignore: decorator
@inline
export function withSignOf<T>(magnitude: v128, x: v128): v128 {
  return choose(bits<T>(SIGN), x, magnitude);
}

// @ts-ignore: decorator
@inline
export function shiftRight<I>(x: v128, count: i32): v128 {
  return sizeof<I>() == 8 ? i64x2.shr_u(x, count) : i32x4.shr_u(x, count);
}
