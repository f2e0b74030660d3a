import { allocateSplit, type Plan, planOf } from "./plan.js";
import type { Split } from "./stages.js";

/** Arrays that can hold parts of complex numbers. */
export type FloatArray = Float32Array | Float64Array;

/** Complex numbers seen as `[outer, n, inner]`, to be transformed along the middle axis. */
export interface AxisLayout {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

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
  const { outer, n, inner } = layout;
  const lanes = outer * inner;
  if (lanes === 0 || n === 0) return;
  const plan = planOf(n);
  const perColumn = im === undefined ? 2 : 1;
  const columns = Math.ceil(lanes / perColumn);
  const width = Math.max(1, Math.min(columns, Math.floor(BLOCK_POINTS / n)));
  const work: [Split, Split] = [allocateSplit(n * width), allocateSplit(n * width)];
  const block: Block = { layout, plan, work, first: 0, width: 0, lanes };
  for (let column = 0; column < columns; column += width) {
    block.first = column * perColumn;
    block.width = Math.min(width, columns - column);
    if (im === undefined) realBlock(block, re, outRe, outIm, inverse);
    else complexBlock(block, re, im, outRe, outIm, inverse);
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

function complexBlock(
  { layout, plan, work, first, width }: Block,
  re: FloatArray,
  im: FloatArray,
  outRe: FloatArray,
  outIm: FloatArray,
  inverse: boolean,
): void {
  const { n, inner } = layout;
  // The inverse is the forward transform with the parts exchanged before and after.
  const [input] = work;
  const toRe = inverse ? input.im : input.re;
  const toIm = inverse ? input.re : input.im;
  for (let q = 0; q < width; q++) {
    const at = start(first + q, layout);
    gather(re, toRe, at, inner, n, q, width);
    gather(im, toIm, at, inner, n, q, width);
  }
  const result = plan.run(work, width);
  const fromRe = inverse ? result.im : result.re;
  const fromIm = inverse ? result.re : result.im;
  const scale = inverse ? 1 / n : 1;
  for (let q = 0; q < width; q++) {
    for (let k = 0, o = start(first + q, layout), i = q; k < n; k++, o += inner, i += width) {
      outRe[o] = fromRe[i] * scale;
      outIm[o] = fromIm[i] * scale;
    }
  }
}

/** Two real sequences x, y as one complex x + iy; their transforms are its Hermitian and anti-Hermitian parts. */
function realBlock(
  { layout, plan, work, first, width, lanes }: Block,
  re: FloatArray,
  outRe: FloatArray,
  outIm: FloatArray,
  inverse: boolean,
): void {
  const { n, inner } = layout;
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
    const x = start(lane, layout);
    const y = lane + 1 < lanes ? start(lane + 1, layout) : -1;
    for (let k = 0; k < n; k++) {
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
