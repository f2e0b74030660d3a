/**
 * A convolution of float32 values in plain JavaScript: 3 x 3, zero padding, as many channels out as in.
 * @param x `[channels, side, side]`
 * @param w `[channels, channels, 3, 3]`
 */
export function plainConvolution(x: Float32Array, w: Float32Array, channels: number, side: number): Float32Array {
  const out = new Float32Array(channels * side * side);
  for (let o = 0; o < channels; o++) {
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < 9; t++) {
        const dy = Math.floor(t / 3) - 1;
        const dx = (t % 3) - 1;
        const weight = w[(o * channels + c) * 9 + t];
        const left = Math.max(0, -dx);
        const right = Math.min(side, side - dx);
        for (let i = Math.max(0, -dy); i < Math.min(side, side - dy); i++) {
          addRow(out, (o * side + i) * side, x, (c * side + i + dy) * side + dx, weight, left, right);
        }
      }
    }
  }
  return out;
}

function addRow(
  out: Float32Array,
  to: number,
  x: Float32Array,
  from: number,
  weight: number,
  left: number,
  right: number,
): void {
  for (let j = left; j < right; j++) out[to + j] += weight * x[from + j];
}
