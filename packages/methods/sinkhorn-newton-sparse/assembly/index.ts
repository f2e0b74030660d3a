/*
 * Rows of the Gibbs plan, float64. Lengths are rounded up to four: rows stand at multiples of 32 bytes.
 *
 * Written by hand since vectors of entries below `cut` are skipped: a pass over 500 x 500 that tensor-core compiles from
 * operations takes 1.04 of this time where none is skipped and 1.37 where most are (eta = 1200), and row after row the
 * Newton steps need parts of it only.
 */
import { expNormal } from "../../../core/tensor-core/assembly/exponential";

/** Below this the exponential is taken as 0, above it as infinity: all numbers on the way are normal, and so fast. */
const LOWEST: f64 = -690;
const HIGHEST: f64 = 690;

// @ts-ignore: decorator
@inline
function exponential(a: v128): v128 {
  const inside = f64x2.max(f64x2.min(a, f64x2.splat(HIGHEST)), f64x2.splat(LOWEST));
  return v128.bitselect(f64x2.splat(Infinity), expNormal<f64, i64>(inside), f64x2.gt(a, f64x2.splat(HIGHEST)));
}

/**
 * out[j] = exp(g[j] + (u + v[j])), or 0 where that exponent is not above `cut` >= -690; returns the sum. What lies behind the
 * last element of `g` must be -Infinity.
 */
export function exponentials(g: usize, u: f64, v: usize, out: usize, n: i32, cut: f64): f64 {
  const shift = f64x2.splat(u), least = f64x2.splat(cut);
  let sum0 = f64x2.splat(0), sum1 = f64x2.splat(0);
  for (const end = g + (<usize>n << 3); g < end; g += 32) {
    const a0 = f64x2.add(v128.load(g), f64x2.add(shift, v128.load(v)));
    const a1 = f64x2.add(v128.load(g, 16), f64x2.add(shift, v128.load(v, 16)));
    const low0 = f64x2.le(a0, least), low1 = f64x2.le(a1, least);
    if (i64x2.all_true(v128.and(low0, low1))) {
      v128.store(out, f64x2.splat(0));
      v128.store(out, f64x2.splat(0), 16);
    } else {
      const y0 = v128.andnot(exponential(a0), low0), y1 = v128.andnot(exponential(a1), low1);
      v128.store(out, y0);
      v128.store(out, y1, 16);
      sum0 = f64x2.add(sum0, y0);
      sum1 = f64x2.add(sum1, y1);
    }
    v += 32;
    out += 32;
  }
  const sum = f64x2.add(sum0, sum1);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** y[j] += factor x[j] */
export function addScaled(x: usize, factor: f64, y: usize, n: i32): void {
  const scale = f64x2.splat(factor);
  for (const end = x + (<usize>n << 3); x < end; x += 32) {
    v128.store(y, f64x2.add(v128.load(y), f64x2.mul(scale, v128.load(x))));
    v128.store(y, f64x2.add(v128.load(y, 16), f64x2.mul(scale, v128.load(x, 16))), 16);
    y += 32;
  }
}

/** sum_j x[j] y[j] */
export function dot(x: usize, y: usize, n: i32): f64 {
  let sum0 = f64x2.splat(0), sum1 = f64x2.splat(0);
  for (const end = x + (<usize>n << 3); x < end; x += 32) {
    sum0 = f64x2.add(sum0, f64x2.mul(v128.load(x), v128.load(y)));
    sum1 = f64x2.add(sum1, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    y += 32;
  }
  const sum = f64x2.add(sum0, sum1);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** First byte that the caller may use. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}
