/** Rounding may reach the excluded upper end; such values become the largest number below it. */
export function keepBelow(out: Float32Array | Float64Array, high: number): void {
  const single = out instanceof Float32Array;
  let below: number | undefined;
  for (let i = 0; i < out.length; i++) {
    if (out[i] >= high) out[i] = below ??= previous(high, single);
  }
}

/** The largest float32 or float64 number below `x`. */
function previous(x: number, single: boolean): number {
  if (!single) return nextDown(x);
  const rounded = Math.fround(x);
  if (rounded < x) return rounded;
  const value = new Float32Array([rounded]);
  const bits = new Int32Array(value.buffer);
  if (rounded === 0) return -(2 ** -149);
  bits[0] += rounded > 0 ? -1 : 1;
  return value[0];
}

function nextDown(x: number): number {
  if (x === 0) return -Number.MIN_VALUE;
  const value = new Float64Array([x]);
  const bits = new BigInt64Array(value.buffer);
  bits[0] += x > 0 ? -1n : 1n;
  return value[0];
}
