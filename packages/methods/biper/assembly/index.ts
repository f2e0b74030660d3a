/** Popcounts of bytes are at most 8: so many words can be summed in bytes before they overflow. */
const CHUNK: i32 = 31;

/** First byte that the caller may use. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}

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

/** The sixteen byte sums as four word sums. */
@inline
function widened(bytes: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes));
}

/** Where the results of a window of four channels come from: see `xnorConvolution`. */
@inline
function finished(mismatches: v128, base: usize, scale: usize, shift: usize, affine: bool): v128 {
  const dot = i32x4.sub(v128.load(base), i32x4.add(mismatches, mismatches));
  if (!affine) return dot;
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(dot), v128.load(scale)), v128.load(shift));
}

@inline
function clamped(x: v128): v128 {
  return f32x4.min(f32x4.max(x, f32x4.splat(-1)), f32x4.splat(1));
}

/** Stores four pixels of one channel; `mode` as in `xnorConvolution`. */
@inline
function put(at: usize, values: v128, pixels: i32, mode: i32): void {
  let y = values;
  if (pixels == 4) {
    if (mode & 2) y = f32x4.add(y, v128.load(at));
    if (mode & 4) y = clamped(y);
    v128.store(at, y);
    return;
  }
  for (let p = 0; p < pixels; p++) {
    let one = y;
    if (mode & 2) one = f32x4.add(one, v128.load32_splat(at));
    if (mode & 4) one = clamped(one);
    v128.store_lane<u32>(at, one, 0);
    y = i8x16.shuffle(y, y, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
    at += 4;
  }
}

/**
 * One group of a binary convolution of one image. For every pixel and channel: dot = base[class, channel] - 2 * (number of
 * bits in which window and weights differ).
 *
 * a: padded words, rows `rowBytes` and pixels `pixelBytes` apart; windows take `words` of each tap.
 * w: words [blocks of 4 channels][taps * words][4 channels]. places: for every pixel of the result the byte offset of its
 * window in `a` (int32) and that of its class in `base` (int32). scratch: room for taps * words * 4 words.
 * mode: bit 0: scale * dot + shift in float32, else int32; bit 1: added to what is there; bit 2: clamped to [-1, 1].
 * out[channels, pixels].
 */
export function xnorConvolution(
  a: usize,
  rowBytes: usize,
  pixelBytes: usize,
  words: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  rowDilation: i32,
  columnDilation: i32,
  places: usize,
  pixels: i32,
  w: usize,
  channels: i32,
  base: usize,
  scale: usize,
  shift: usize,
  scratch: usize,
  out: usize,
  mode: i32,
): void {
  const depth = kernelHeight * kernelWidth * words;
  const affine = (mode & 1) != 0;
  const planeBytes = <usize>pixels * 4;
  const rowStep = <usize>rowDilation * rowBytes;
  const columnStep = <usize>columnDilation * pixelBytes;
  for (let p = 0; p < pixels; p += 4) {
    const count = min(4, pixels - p);
    const at = places + <usize>p * 8;
    // Past the end of the image the last pixel is taken again, and not stored.
    const place1 = at + 8 * <usize>min(1, count - 1);
    const place2 = at + 8 * <usize>min(2, count - 1);
    const place3 = at + 8 * <usize>min(3, count - 1);
    const a0 = a + load<u32>(at);
    const a1 = a + load<u32>(place1);
    const a2 = a + load<u32>(place2);
    const a3 = a + load<u32>(place3);
    let s = scratch;
    for (let i = 0; i < kernelHeight; i++) {
      for (let j = 0; j < kernelWidth; j++) {
        let offset = <usize>i * rowStep + <usize>j * columnStep;
        for (let k = 0; k < words; k++) {
          store<u32>(s, load<u32>(a0 + offset));
          store<u32>(s, load<u32>(a1 + offset), 4);
          store<u32>(s, load<u32>(a2 + offset), 8);
          store<u32>(s, load<u32>(a3 + offset), 12);
          s += 16;
          offset += 4;
        }
      }
    }
    const base0 = base + load<u32>(at, 4);
    const base1 = base + load<u32>(place1, 4);
    const base2 = base + load<u32>(place2, 4);
    const base3 = base + load<u32>(place3, 4);
    let v = w;
    for (let o = 0; o < channels; o += 4) {
      let sum0 = i32x4.splat(0),
        sum1 = sum0,
        sum2 = sum0,
        sum3 = sum0;
      s = scratch;
      for (let k = 0; k < depth; ) {
        const end = min(depth, k + CHUNK);
        let c0 = i32x4.splat(0),
          c1 = c0,
          c2 = c0,
          c3 = c0;
        for (; k < end; k++) {
          const weights = v128.load(v);
          c0 = i8x16.add(c0, i8x16.popcnt(v128.xor(weights, v128.load32_splat(s))));
          c1 = i8x16.add(c1, i8x16.popcnt(v128.xor(weights, v128.load32_splat(s, 4))));
          c2 = i8x16.add(c2, i8x16.popcnt(v128.xor(weights, v128.load32_splat(s, 8))));
          c3 = i8x16.add(c3, i8x16.popcnt(v128.xor(weights, v128.load32_splat(s, 12))));
          v += 16;
          s += 16;
        }
        sum0 = i32x4.add(sum0, widened(c0));
        sum1 = i32x4.add(sum1, widened(c1));
        sum2 = i32x4.add(sum2, widened(c2));
        sum3 = i32x4.add(sum3, widened(c3));
      }
      const four = <usize>o * 4;
      const y0 = finished(sum0, base0 + four, scale + four, shift + four, affine);
      const y1 = finished(sum1, base1 + four, scale + four, shift + four, affine);
      const y2 = finished(sum2, base2 + four, scale + four, shift + four, affine);
      const y3 = finished(sum3, base3 + four, scale + four, shift + four, affine);
      // From four channels of each pixel to four pixels of each channel.
      const low01 = i8x16.shuffle(y0, y1, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const low23 = i8x16.shuffle(y2, y3, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const high01 = i8x16.shuffle(y0, y1, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      const high23 = i8x16.shuffle(y2, y3, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      const to = out + <usize>o * planeBytes + <usize>p * 4;
      put(to, i8x16.shuffle(low01, low23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), count, mode);
      if (o + 1 < channels)
        put(to + planeBytes, i8x16.shuffle(low01, low23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), count, mode);
      if (o + 2 < channels)
        put(to + 2 * planeBytes, i8x16.shuffle(high01, high23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), count, mode);
      if (o + 3 < channels)
        put(to + 3 * planeBytes, i8x16.shuffle(high01, high23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), count, mode);
    }
  }
}
