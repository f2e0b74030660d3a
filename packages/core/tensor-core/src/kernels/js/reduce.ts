import type { FloatArray } from "../arrays.js";

/** Longest run that is summed without splitting: pairwise summation above it (N. Higham, SIAM J. Sci. Comput. 14, 1993). */
const RUN = 1024;

/** Sum of x[start .. end) in float64. */
export function jsSum(x: FloatArray, start: number, end: number): number {
  if (end - start > RUN) {
    const middle = start + ((end - start) >> 1);
    return jsSum(x, start, middle) + jsSum(x, middle, end);
  }
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    s0 += x[i]!;
    s1 += x[i + 1]!;
    s2 += x[i + 2]!;
    s3 += x[i + 3]!;
  }
  for (; i < end; i++) s0 += x[i]!;
  return s0 + s1 + (s2 + s3);
}

/** Largest (`sign` = 1) or smallest (-1) elements of each column of x[n, inner] from `start` on; NaN where one is NaN. */
export function jsExtremes(
  sign: 1 | -1,
  x: FloatArray,
  start: number,
  n: number,
  inner: number,
  out: FloatArray,
  outStart: number,
): void {
  for (let j = 0; j < inner; j++) {
    let at = start + j;
    let best = x[at]!;
    for (let i = 1; i < n && best === best; i++) {
      const value = x[(at += inner)]!;
      if (!(sign * value <= sign * best)) best = value;
    }
    out[outStart + j] = best;
  }
}
