/** @internal Inner product. */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/** @internal Euclidean norm, of vectors of any size. */
export function norm(x: Float64Array): number {
  const size = Math.sqrt(dot(x, x));
  if (size > 1e-140 && size < 1e150) return size;
  // Squares may have vanished or overflowed.
  const unit = powerOfTwo(x);
  const scaled = x.map((v) => v / unit);
  return unit * Math.sqrt(dot(scaled, scaled));
}

/** @internal The power of two at the largest entry, by which division is exact; 1 for zeros and where an entry is not finite. */
export function powerOfTwo(x: Float64Array): number {
  const largest = x.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  if (largest === 0 || !Number.isFinite(largest)) return 1;
  return 2 ** Math.max(-1022, Math.floor(Math.log2(largest)));
}

/** @internal `y += factor x`. */
export function addScaled(y: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] += factor * x[i];
}
