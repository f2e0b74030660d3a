/** Popcounts of bytes are at most 8: so many words can be summed in bytes before they overflow. */
const CHUNK: i32 = 31;

/** Bits of `mode`. */
const AFFINE: i32 = 1;
const ADDED: i32 = 2;
const CLAMPED: i32 = 4;

/**
 * One group of a binary convolution of one image, as it lies in memory: these fields, 32 bits each, in this order
 * (`src/pack/kernel-job.ts` writes them). Addresses are bytes.
 */
@unmanaged
export class ConvolutionJob {
  /** Padded image: words of channels, `words` of each tap, pixels and rows so far apart. */
  input: usize;
  words: i32;
  pixelBytes: usize;
  rowBytes: usize;
  /** The window, and the bytes between its taps: dilation times those of a row and of a pixel. */
  kernelHeight: i32;
  kernelWidth: i32;
  tapRowBytes: usize;
  tapColumnBytes: usize;
  /** [pixels][2]: byte offsets of a result's window in `input` and of its padding class in `bases`. */
  places: usize;
  pixels: i32;
  /** [blocks of 4 outputs][taps * words][4 outputs]. */
  weights: usize;
  outputs: i32;
  /** [classes][outputs], int32: what twice the mismatches are taken from. */
  bases: usize;
  /** [outputs], float32. */
  scale: usize;
  shift: usize;
  /** Room for the windows of four pixels, [taps * words][4 pixels]. */
  windows: usize;
  /** [outputs][pixels]: int32, or float32 with AFFINE. */
  out: usize;
  /** AFFINE: scale dot + shift. ADDED: to what is there already. CLAMPED: to [-1, 1]. */
  mode: i32;
}

/**
 * For every pixel and output `dot = base - 2 (number of bits in which window and weights differ)`, four pixels by four
 * outputs at a time.
 */
export function convolve(job: ConvolutionJob): void {
  const depth = job.kernelHeight * job.kernelWidth * job.words;
  for (let pixel = 0; pixel < job.pixels; pixel += 4) {
    gatherWindows(job, pixel);
    const bases0 = basesOf(job, pixel, 0);
    const bases1 = basesOf(job, pixel, 1);
    const bases2 = basesOf(job, pixel, 2);
    const bases3 = basesOf(job, pixel, 3);
    let weights = job.weights;
    for (let output = 0; output < job.outputs; output += 4) {
      let window = job.windows;
      // Mismatches of four outputs, for each of four pixels.
      let m0 = i32x4.splat(0);
      let m1 = m0;
      let m2 = m0;
      let m3 = m0;
      for (let k = 0; k < depth; ) {
        const end = min(depth, k + CHUNK);
        let c0 = i32x4.splat(0);
        let c1 = c0;
        let c2 = c0;
        let c3 = c0;
        for (; k < end; k++) {
          const w = v128.load(weights);
          c0 = i8x16.add(c0, i8x16.popcnt(v128.xor(w, v128.load32_splat(window))));
          c1 = i8x16.add(c1, i8x16.popcnt(v128.xor(w, v128.load32_splat(window, 4))));
          c2 = i8x16.add(c2, i8x16.popcnt(v128.xor(w, v128.load32_splat(window, 8))));
          c3 = i8x16.add(c3, i8x16.popcnt(v128.xor(w, v128.load32_splat(window, 12))));
          weights += 16;
          window += 16;
        }
        m0 = i32x4.add(m0, widened(c0));
        m1 = i32x4.add(m1, widened(c1));
        m2 = i32x4.add(m2, widened(c2));
        m3 = i32x4.add(m3, widened(c3));
      }
      const y0 = finished(job, output, m0, bases0);
      const y1 = finished(job, output, m1, bases1);
      const y2 = finished(job, output, m2, bases2);
      const y3 = finished(job, output, m3, bases3);
      storeTile(job, pixel, output, y0, y1, y2, y3);
    }
  }
}

/** Where the k-th of four pixels is described; past the end of the image the last one is, whose results are not stored. */
@inline
function placeOf(job: ConvolutionJob, pixel: i32, k: i32): usize {
  return job.places + 8 * <usize>min(pixel + k, job.pixels - 1);
}

/** Lays the words of four windows side by side. */
@inline
function gatherWindows(job: ConvolutionJob, pixel: i32): void {
  const a0 = job.input + load<u32>(placeOf(job, pixel, 0));
  const a1 = job.input + load<u32>(placeOf(job, pixel, 1));
  const a2 = job.input + load<u32>(placeOf(job, pixel, 2));
  const a3 = job.input + load<u32>(placeOf(job, pixel, 3));
  let to = job.windows;
  for (let i = 0; i < job.kernelHeight; i++) {
    for (let j = 0; j < job.kernelWidth; j++) {
      let offset = <usize>i * job.tapRowBytes + <usize>j * job.tapColumnBytes;
      for (let k = 0; k < job.words; k++) {
        store<u32>(to, load<u32>(a0 + offset));
        store<u32>(to, load<u32>(a1 + offset), 4);
        store<u32>(to, load<u32>(a2 + offset), 8);
        store<u32>(to, load<u32>(a3 + offset), 12);
        to += 16;
        offset += 4;
      }
    }
  }
}

/** The sixteen byte sums as four word sums. */
@inline
function widened(bytes: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes));
}

/** Where the k-th of four pixels finds what its mismatches are taken from. */
@inline
function basesOf(job: ConvolutionJob, pixel: i32, k: i32): usize {
  return job.bases + load<u32>(placeOf(job, pixel, k), 4);
}

/** From the mismatches of four outputs to their dot products, and from these to `scale dot + shift`. */
@inline
function finished(job: ConvolutionJob, output: i32, mismatches: v128, bases: usize): v128 {
  const first = <usize>output * 4;
  const dot = i32x4.sub(v128.load(bases + first), i32x4.add(mismatches, mismatches));
  if (!(job.mode & AFFINE)) return dot;
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(dot), v128.load(job.scale + first));
  return f32x4.add(scaled, v128.load(job.shift + first));
}

/** Stores four outputs of each of four pixels as four pixels of each output. */
@inline
function storeTile(job: ConvolutionJob, pixel: i32, output: i32, y0: v128, y1: v128, y2: v128, y3: v128): void {
  const low01 = i32x4.shuffle(y0, y1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(y2, y3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(y0, y1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(y2, y3, 2, 6, 3, 7);
  const plane = <usize>job.pixels * 4;
  const to = job.out + <usize>output * plane + <usize>pixel * 4;
  const count = min(4, job.pixels - pixel);
  const left = job.outputs - output;
  const mode = job.mode;
  put(to, i32x4.shuffle(low01, low23, 0, 1, 4, 5), count, mode);
  if (left > 1) put(to + plane, i32x4.shuffle(low01, low23, 2, 3, 6, 7), count, mode);
  if (left > 2) put(to + 2 * plane, i32x4.shuffle(high01, high23, 0, 1, 4, 5), count, mode);
  if (left > 3) put(to + 3 * plane, i32x4.shuffle(high01, high23, 2, 3, 6, 7), count, mode);
}

@inline
function clamped(x: v128): v128 {
  return f32x4.min(f32x4.max(x, f32x4.splat(-1)), f32x4.splat(1));
}

/** Stores so many pixels of one output. */
@inline
function put(at: usize, values: v128, pixels: i32, mode: i32): void {
  let y = values;
  if (pixels == 4) {
    if (mode & ADDED) y = f32x4.add(y, v128.load(at));
    if (mode & CLAMPED) y = clamped(y);
    v128.store(at, y);
    return;
  }
  for (let p = 0; p < pixels; p++) {
    let one = y;
    if (mode & ADDED) one = f32x4.add(one, v128.load32_splat(at));
    if (mode & CLAMPED) one = clamped(one);
    v128.store_lane<u32>(at, one, 0);
    y = i32x4.shuffle(y, y, 1, 2, 3, 0);
    at += 4;
  }
}
