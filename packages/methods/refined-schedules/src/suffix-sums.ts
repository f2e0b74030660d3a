/** `s_t = x_t + ... + x_T`, summed from the end, so that small tails keep their digits. */
export function suffixSums(x: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(x.length);
  let sum = 0;
  for (let t = x.length - 1; t >= 0; t--) sums[t] = sum += x[t];
  return sums;
}

/** The middle value. */
export function median(x: ArrayLike<number>): number {
  const sorted = Float64Array.from(x).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
