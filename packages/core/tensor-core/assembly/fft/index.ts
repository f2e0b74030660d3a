/*
 * Discrete Fourier transforms of lengths 2^a 3^b 5^c along the middle axis of [outer, n, inner], many at a time, in
 * float64 whatever the arrays hold. No memory of its own: it works in that of the caller, at whose addresses lie
 *   plan  i32: number of passes; i32 for each: its radix; at byte 256 the twiddles of all passes (see stages.ts)
 *   work  four blocks of n * width float64
 */
import { gather, scatter } from "./lanes";
import { radix2, radix3, radix4, radix5 } from "./stages";

const TWIDDLES: usize = 256;

/** Forward transform of the columns of block x without normalisation; returns whether the result lies in y. */
function run(plan: usize, n: i32, width: i32, xr: usize, xi: usize, yr: usize, yi: usize): bool {
  const passes = load<i32>(plan);
  let twiddles = plan + TWIDDLES;
  let length = n;
  let stride = width;
  for (let pass = 0; pass < passes; pass++) {
    const radix = load<i32>(plan + 4 + (<usize>pass << 2));
    const rest = length / radix;
    if (radix == 4) radix4(rest, stride, twiddles, xr, xi, yr, yi);
    else if (radix == 2) radix2(rest, stride, twiddles, xr, xi, yr, yi);
    else if (radix == 3) radix3(rest, stride, twiddles, xr, xi, yr, yi);
    else radix5(rest, stride, twiddles, xr, xi, yr, yi);
    twiddles += <usize>(rest * (radix - 1)) << 4;
    length = rest;
    stride *= radix;
    const r = xr;
    const i = xi;
    xr = yr;
    xi = yi;
    yr = r;
    yi = i;
  }
  return (passes & 1) == 1;
}

/** The forward transform; the inverse is the same with the parts exchanged before and after. */
function complexOf<T>(
  re: usize,
  im: usize,
  outRe: usize,
  outIm: usize,
  outer: i32,
  n: i32,
  inner: i32,
  factor: f64,
  plan: usize,
  work: usize,
  width: i32,
): void {
  const lanes = outer * inner;
  const bytes = <usize>(n * width) << 3;
  for (let lane = 0; lane < lanes; lane += width) {
    const count = min(width, lanes - lane);
    gather<T>(re, work, lane, count, n, inner, width);
    gather<T>(im, work + bytes, lane, count, n, inner, width);
    const odd = run(plan, n, width, work, work + bytes, work + 2 * bytes, work + 3 * bytes);
    const result = odd ? work + 2 * bytes : work;
    scatter<T>(result, outRe, lane, count, n, inner, width, factor);
    scatter<T>(result + bytes, outIm, lane, count, n, inner, width, factor);
  }
}

/**
 * The first `terms` terms of the transforms of real sequences, two lanes x, y as one complex x + iy whose Hermitian and
 * anti-Hermitian parts are theirs.
 */
function realOf<T>(
  re: usize,
  outRe: usize,
  outIm: usize,
  outer: i32,
  n: i32,
  inner: i32,
  terms: i32,
  plan: usize,
  work: usize,
  width: i32,
): void {
  const lanes = outer * inner;
  const bytes = <usize>(n * width) << 3;
  const row = <usize>width << 3;
  const half = v128.splat<f64>(0.5);
  for (let lane = 0; lane < lanes; lane += 2 * width) {
    const first = min(width, lanes - lane);
    const second = max(0, min(width, lanes - lane - width));
    gather<T>(re, work, lane, first, n, inner, width);
    // Columns without a second lane must not hold what was there before: the parts are told apart by rounding alone.
    if (second < first) memory.fill(work + bytes, 0, bytes);
    if (second > 0) gather<T>(re, work + bytes, lane + width, second, n, inner, width);
    const odd = run(plan, n, width, work, work + bytes, work + 2 * bytes, work + 3 * bytes);
    const zr = odd ? work + 2 * bytes : work;
    const zi = zr + bytes;
    const x = odd ? work : work + 2 * bytes;
    // Terms k and n - k make those k of both lanes; the two of lane x, then of lane y.
    for (let part = 0; part < (second > 0 ? 2 : 1); part++) {
      for (let k = 0; k < terms; k++) {
        const a = <usize>k * row;
        const b = <usize>(k == 0 ? 0 : n - k) * row;
        for (let q: usize = 0; q < row; q += 16) {
          const ar = v128.load(zr + a + q);
          const ai = v128.load(zi + a + q);
          const br = v128.load(zr + b + q);
          const bi = v128.load(zi + b + q);
          if (part == 0) {
            v128.store(x + a + q, v128.mul<f64>(half, v128.add<f64>(ar, br)));
            v128.store(x + bytes + a + q, v128.mul<f64>(half, v128.sub<f64>(ai, bi)));
          } else {
            v128.store(x + a + q, v128.mul<f64>(half, v128.add<f64>(ai, bi)));
            v128.store(x + bytes + a + q, v128.mul<f64>(half, v128.sub<f64>(br, ar)));
          }
        }
      }
      const at = part == 0 ? lane : lane + width;
      const count = part == 0 ? first : second;
      scatter<T>(x, outRe, at, count, terms, inner, width, 1);
      scatter<T>(x + bytes, outIm, at, count, terms, inner, width, 1);
    }
  }
}

/** Real sequences of n from the n / 2 + 1 first terms of their transforms, two lanes at a time likewise. */
function realFrom<T>(
  re: usize,
  im: usize,
  out: usize,
  outer: i32,
  n: i32,
  inner: i32,
  plan: usize,
  work: usize,
  width: i32,
): void {
  const lanes = outer * inner;
  const terms = n / 2 + 1;
  const bytes = <usize>(n * width) << 3;
  const row = <usize>width << 3;
  const factor = 1 / <f64>n;
  const last = n % 2 == 0 ? n / 2 : 0;
  // The half spectra of lanes x and y lie in the third and fourth block, one after the other.
  const xr = work + 2 * bytes;
  const xi = work + 3 * bytes;
  for (let lane = 0; lane < lanes; lane += 2 * width) {
    const first = min(width, lanes - lane);
    const second = max(0, min(width, lanes - lane - width));
    for (let part = 0; part < 2; part++) {
      const count = part == 0 ? first : second;
      if (count > 0) {
        const at = part == 0 ? lane : lane + width;
        gather<T>(re, xr, at, count, terms, inner, width);
        gather<T>(im, xi, at, count, terms, inner, width);
        // These are real whatever is given.
        memory.fill(xi, 0, row);
        memory.fill(xi + <usize>last * row, 0, row);
      }
      // z = x + iy, its parts exchanged as the transform is an inverse one.
      for (let k = 0; k < terms; k++) {
        const a = <usize>k * row;
        const b = <usize>(k == 0 ? 0 : n - k) * row;
        for (let q: usize = 0; q < row; q += 16) {
          const r = v128.load(xr + a + q);
          const i = v128.load(xi + a + q);
          if (part == 0) {
            v128.store(work + bytes + a + q, r);
            v128.store(work + a + q, i);
            v128.store(work + bytes + b + q, r);
            v128.store(work + b + q, v128.neg<f64>(i));
          } else if (count > 0) {
            const zr = v128.load(work + bytes + a + q);
            const zi = v128.load(work + a + q);
            if (a != b) {
              const mr = v128.load(work + bytes + b + q);
              const mi = v128.load(work + b + q);
              v128.store(work + bytes + b + q, v128.add<f64>(mr, i));
              v128.store(work + b + q, v128.add<f64>(mi, r));
            }
            v128.store(work + bytes + a + q, v128.sub<f64>(zr, i));
            v128.store(work + a + q, v128.add<f64>(zi, r));
          }
        }
      }
    }
    const odd = run(plan, n, width, work, work + bytes, work + 2 * bytes, work + 3 * bytes);
    const result = odd ? work + 2 * bytes : work;
    scatter<T>(result + bytes, out, lane, first, n, inner, width, factor);
    if (second > 0) scatter<T>(result, out, lane + width, second, n, inner, width, factor);
  }
}

// biome-ignore format: one line for each
export function complex_64(re: usize, im: usize, outRe: usize, outIm: usize, outer: i32, n: i32, inner: i32, factor: f64, plan: usize, work: usize, width: i32): void {
  complexOf<f64>(re, im, outRe, outIm, outer, n, inner, factor, plan, work, width);
}

export function complex_32(re: usize, im: usize, outRe: usize, outIm: usize, outer: i32, n: i32, inner: i32, factor: f64, plan: usize, work: usize, width: i32): void {
  complexOf<f32>(re, im, outRe, outIm, outer, n, inner, factor, plan, work, width);
}

export function realOf_64(re: usize, outRe: usize, outIm: usize, outer: i32, n: i32, inner: i32, terms: i32, plan: usize, work: usize, width: i32): void {
  realOf<f64>(re, outRe, outIm, outer, n, inner, terms, plan, work, width);
}

export function realOf_32(re: usize, outRe: usize, outIm: usize, outer: i32, n: i32, inner: i32, terms: i32, plan: usize, work: usize, width: i32): void {
  realOf<f32>(re, outRe, outIm, outer, n, inner, terms, plan, work, width);
}

export function realFrom_64(re: usize, im: usize, out: usize, outer: i32, n: i32, inner: i32, plan: usize, work: usize, width: i32): void {
  realFrom<f64>(re, im, out, outer, n, inner, plan, work, width);
}

export function realFrom_32(re: usize, im: usize, out: usize, outer: i32, n: i32, inner: i32, plan: usize, work: usize, width: i32): void {
  realFrom<f32>(re, im, out, outer, n, inner, plan, work, width);
}
