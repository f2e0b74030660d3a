import { type AxisLayout, type FftKind, type FftPlan, fftRuntime } from "../kernels/fft.js";
import { allocateSplit, friendlyPlan, type Plan, planOf } from "./plan.js";
import type { Split } from "./stages.js";

/** Arrays that can hold parts of complex numbers. */
export type FloatArray = Float32Array | Float64Array;

/** Points worked on at a time: few enough for the cache, enough lanes for long inner loops. */
const BLOCK_POINTS = 1024;

/**
 * Discrete Fourier transform along one axis, in float64 whatever the arrays hold. The inverse divides by n.
 * @param im imaginary parts; undefined for real input, of which two are transformed at a time.
 */
export function transformAxis(
  re: FloatArray,
  im: FloatArray | undefined,
  outRe: FloatArray,
  outIm: FloatArray,
  layout: AxisLayout,
  inverse: boolean,
): void {
  const { n } = layout;
  if (im === undefined) {
    if (!inverse && inWasm("realOf", [re], [outRe, outIm], layout, n)) return;
    inBlocks(layout, 2, (block) => realBlock(block, re, outRe, outIm, n, inverse));
  } else if (inverse) {
    // The inverse is the forward transform with the parts exchanged before and after.
    if (inWasm("complex", [im, re], [outIm, outRe], layout, 1 / n)) return;
    inBlocks(layout, 1, (block) => complexBlock(block, im, re, outIm, outRe, 1 / n));
  } else {
    if (inWasm("complex", [re, im], [outRe, outIm], layout, 1)) return;
    inBlocks(layout, 1, (block) => complexBlock(block, re, im, outRe, outIm, 1));
  }
}

/** The first n / 2 + 1 terms of real sequences of n: `[outer, n, inner]` to `[outer, n / 2 + 1, inner]`. */
export function transformReal(re: FloatArray, outRe: FloatArray, outIm: FloatArray, layout: AxisLayout): void {
  const terms = halfLength(layout.n);
  if (inWasm("realOf", [re], [outRe, outIm], layout, terms)) return;
  inBlocks(layout, 2, (block) => realBlock(block, re, outRe, outIm, terms, false));
}

/** The inverse of {@link transformReal}; the imaginary parts of terms that must be real are not read. */
export function transformToReal(re: FloatArray, im: FloatArray, out: FloatArray, layout: AxisLayout): void {
  if (inWasm("realFrom", [re, im], [out], layout, 0)) return;
  inBlocks(layout, 1, (block) => halfBlock(block, re, im, out));
}

/** Terms of the transform of n real numbers. */
export function halfLength(n: number): number {
  return Math.floor(n / 2) + 1;
}

/** The passes of transforms that WebAssembly makes; undefined where plain JavaScript is as good, or the only way. */
export function wasmPlan(kind: FftKind, { outer, n, inner }: AxisLayout): FftPlan | undefined {
  // A single sequence would leave one of two lanes empty.
  return outer * inner < (kind === "complex" ? 2 : 3) ? undefined : friendlyPlan(n);
}

/** Makes a transform in WebAssembly, which takes the usual lengths; false where it does not. */
function inWasm(
  kind: FftKind,
  given: readonly FloatArray[],
  written: readonly FloatArray[],
  layout: AxisLayout,
  last: number,
): boolean {
  const { n } = layout;
  const plan = wasmPlan(kind, layout);
  const runtime = plan && fftRuntime();
  if (plan === undefined || runtime === undefined) return false;
  const rows = { from: kind === "realFrom" ? halfLength(n) : n, to: kind === "realOf" ? last : n };
  runtime.run(kind, given, written, layout, rows, plan, last);
  return true;
}

function inBlocks(layout: AxisLayout, perColumn: 1 | 2, each: (block: Block) => void): void {
  const { outer, n, inner } = layout;
  const lanes = outer * inner;
  if (lanes === 0 || n === 0) return;
  const columns = Math.ceil(lanes / perColumn);
  const width = Math.max(1, Math.min(columns, Math.floor(BLOCK_POINTS / n)));
  const work: [Split, Split] = [allocateSplit(n * width), allocateSplit(n * width)];
  const block: Block = { layout, plan: planOf(n), work, first: 0, width: 0, lanes };
  for (let column = 0; column < columns; column += width) {
    block.first = column * perColumn;
    block.width = Math.min(width, columns - column);
    each(block);
  }
}

interface Block {
  readonly layout: AxisLayout;
  readonly plan: Plan;
  readonly work: [Split, Split];
  /** Number of transforms in all. */
  readonly lanes: number;
  /** First transform of this block. */
  first: number;
  /** Transforms done side by side in this block. */
  width: number;
}

/** Where the first element of a transform is. */
function start(lane: number, { n, inner }: AxisLayout): number {
  const row = Math.floor(lane / inner);
  return row * n * inner + (lane - row * inner);
}

function gather(
  from: FloatArray,
  to: Float64Array,
  at: number,
  inner: number,
  n: number,
  q: number,
  width: number,
): void {
  for (let k = 0, i = at, o = q; k < n; k++, i += inner, o += width) to[o] = from[i];
}

/** The forward transform times a factor. */
function complexBlock(
  { layout, plan, work, first, width }: Block,
  re: FloatArray,
  im: FloatArray,
  outRe: FloatArray,
  outIm: FloatArray,
  factor: number,
): void {
  const { n, inner } = layout;
  const [input] = work;
  for (let q = 0; q < width; q++) {
    const at = start(first + q, layout);
    gather(re, input.re, at, inner, n, q, width);
    gather(im, input.im, at, inner, n, q, width);
  }
  const result = plan.run(work, width);
  for (let q = 0; q < width; q++) {
    for (let k = 0, o = start(first + q, layout), i = q; k < n; k++, o += inner, i += width) {
      outRe[o] = result.re[i] * factor;
      outIm[o] = result.im[i] * factor;
    }
  }
}

/** Real sequences from half of their terms, of which the others are the conjugates. */
function halfBlock({ layout, plan, work, first, width }: Block, re: FloatArray, im: FloatArray, out: FloatArray): void {
  const { n, inner } = layout;
  const terms = halfLength(n);
  const half = { ...layout, n: terms };
  const [input] = work;
  for (let q = 0; q < width; q++) {
    const at = start(first + q, half);
    for (let k = 0; k < terms; k++) {
      const mirror = k === 0 ? 0 : n - k;
      const i = at + k * inner;
      const imaginary = mirror === k ? 0 : im[i];
      // The parts are exchanged, as the transform is an inverse one.
      input.im[mirror * width + q] = re[i];
      input.re[mirror * width + q] = -imaginary;
      input.im[k * width + q] = re[i];
      input.re[k * width + q] = imaginary;
    }
  }
  const result = plan.run(work, width);
  for (let q = 0; q < width; q++) {
    for (let k = 0, o = start(first + q, layout), i = q; k < n; k++, o += inner, i += width) out[o] = result.im[i] / n;
  }
}

/** Two real sequences x, y as one complex x + iy; their transforms are its Hermitian and anti-Hermitian parts. */
function realBlock(
  { layout, plan, work, first, width, lanes }: Block,
  re: FloatArray,
  outRe: FloatArray,
  outIm: FloatArray,
  terms: number,
  inverse: boolean,
): void {
  const { n, inner } = layout;
  const written = { ...layout, n: terms };
  const [input] = work;
  for (let q = 0; q < width; q++) {
    const lane = first + 2 * q;
    gather(re, input.re, start(lane, layout), inner, n, q, width);
    if (lane + 1 < lanes) gather(re, input.im, start(lane + 1, layout), inner, n, q, width);
    else for (let k = 0, i = q; k < n; k++, i += width) input.im[i] = 0;
  }
  const { re: zr, im: zi } = plan.run(work, width);
  const half = inverse ? 0.5 / n : 0.5;
  const sign = inverse ? -half : half;
  for (let q = 0; q < width; q++) {
    const lane = first + 2 * q;
    const x = start(lane, written);
    const y = lane + 1 < lanes ? start(lane + 1, written) : -1;
    for (let k = 0; k < terms; k++) {
      const i = k * width + q;
      const mirror = (k === 0 ? 0 : n - k) * width + q;
      outRe[x + k * inner] = half * (zr[i] + zr[mirror]);
      outIm[x + k * inner] = sign * (zi[i] - zi[mirror]);
      if (y < 0) continue;
      outRe[y + k * inner] = half * (zi[i] + zi[mirror]);
      outIm[y + k * inner] = sign * (zr[mirror] - zr[i]);
    }
  }
}
