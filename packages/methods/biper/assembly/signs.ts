/** Bits of 32 channels from `plane` on, of the four pixels from there: bit c is set where channel c is >= 0. */
@inline
function signsOfFour(x: usize, plane: usize, channels: i32): v128 {
  const zero = f32x4.splat(0);
  let bits = i32x4.splat(0);
  let bit = i32x4.splat(1);
  for (let c = 0; c < channels; c++) {
    bits = v128.or(bits, v128.and(f32x4.ge(v128.load(x), zero), bit));
    bit = i32x4.add(bit, bit);
    x += plane;
  }
  return bits;
}

@inline
function signsOfOne(x: usize, plane: usize, channels: i32): u32 {
  let bits: u32 = 0;
  for (let c = 0; c < channels; c++) {
    bits |= <u32>(load<f32>(x) >= 0) << c;
    x += plane;
  }
  return bits;
}

/**
 * Packs the signs of one image x[channels, height, width] (float32) along channels into words to[height, ., groups,
 * ceil(channels / groups / 32)] whose rows are `rowBytes` apart.
 */
export function packSigns(x: usize, channels: i32, height: i32, width: i32, groups: i32, to: usize, rowBytes: usize): void {
  const plane = <usize>height * <usize>width * 4;
  const perGroup = channels / groups;
  const words = (perGroup + 31) >> 5;
  const pixelBytes = <usize>(groups * words) * 4;
  for (let g = 0; g < groups; g++) {
    for (let k = 0; k < words; k++) {
      const count = min(32, perGroup - 32 * k);
      const first = x + <usize>(g * perGroup + 32 * k) * plane;
      const word = to + <usize>(g * words + k) * 4;
      for (let i = 0; i < height; i++) {
        const row = first + <usize>i * <usize>width * 4;
        const line = word + <usize>i * rowBytes;
        for (let j = 0; j < width; ) {
          const at = line + <usize>j * pixelBytes;
          if (j + 4 <= width) {
            const bits = signsOfFour(row + <usize>j * 4, plane, count);
            v128.store_lane<u32>(at, bits, 0);
            v128.store_lane<u32>(at + pixelBytes, bits, 1);
            v128.store_lane<u32>(at + 2 * pixelBytes, bits, 2);
            v128.store_lane<u32>(at + 3 * pixelBytes, bits, 3);
            j += 4;
          } else {
            store<u32>(at, signsOfOne(row + <usize>j * 4, plane, count));
            j++;
          }
        }
      }
    }
  }
}
