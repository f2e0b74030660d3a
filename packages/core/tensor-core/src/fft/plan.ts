import type { FftPlan } from "../kernels/fft.js";
import { unitRoot } from "./roots.js";
import { runStage, type Split, type Stage } from "./stages.js";

/** Prime factors up to this one are done by their definition; longer ones by Bluestein's algorithm. */
const LARGEST_RADIX = 31;
const CACHED_PLANS = 64;

/** Transforms of one length, side by side: arrays are `[n, lanes]`. */
export interface Plan {
  readonly n: number;
  /** Forward transform of `work[0]` without normalisation; returns the one of the two that holds the result. */
  run(work: readonly [Split, Split], lanes: number): Split;
}

const plans = new Map<number, Plan>();

/** The plan for a length, kept for the next call. */
export function planOf(n: number): Plan {
  let plan = plans.get(n);
  if (plan !== undefined) {
    plans.delete(n);
  } else {
    const factors = factorize(n);
    plan = factors === undefined ? bluestein(n) : mixedRadix(n, factors);
    const oldest = plans.keys().next();
    if (plans.size >= CACHED_PLANS && !oldest.done) plans.delete(oldest.value);
  }
  plans.set(n, plan);
  return plan;
}

const friendly = new Map<number, FftPlan | undefined>();

/** The passes of a length without a prime factor above 5, as WebAssembly takes them; undefined for others. */
export function friendlyPlan(n: number): FftPlan | undefined {
  if (friendly.has(n)) return friendly.get(n);
  const radices = factorize(n);
  const plan =
    radices === undefined || radices.some((radix) => radix > 5)
      ? undefined
      : { n, radices, twiddles: twiddlesOf(n, radices) };
  if (friendly.size >= CACHED_PLANS) friendly.clear();
  friendly.set(n, plan);
  return plan;
}

/** cos and sin of all passes one after the other. */
function twiddlesOf(n: number, radices: readonly number[]): Float64Array {
  let length = n;
  const passes = radices.map((radix) => {
    const { cos, sin } = makeStage(radix, length);
    length /= radix;
    return Float64Array.from({ length: 2 * cos.length }, (_, i) => (i % 2 === 0 ? cos : sin)[i >> 1]);
  });
  const all = new Float64Array(passes.reduce((total, pass) => total + pass.length, 0));
  let at = 0;
  for (const pass of passes) {
    all.set(pass, at);
    at += pass.length;
  }
  return all;
}

/** Zero-filled parts. */
export function allocateSplit(size: number): Split {
  return { re: new Float64Array(size), im: new Float64Array(size) };
}

/** The radices of a length, 4 before 2; undefined where a prime factor is too large. */
function factorize(n: number): number[] | undefined {
  const factors: number[] = [];
  let rest = n;
  for (const radix of [4, 2, 3, 5]) {
    while (rest % radix === 0) {
      factors.push(radix);
      rest /= radix;
    }
  }
  for (let radix = 7; radix <= LARGEST_RADIX && rest > 1; radix += 2) {
    while (rest % radix === 0) {
      factors.push(radix);
      rest /= radix;
    }
  }
  return rest === 1 ? factors : undefined;
}

function mixedRadix(n: number, factors: readonly number[]): Plan {
  const stages: Stage[] = [];
  let length = n;
  for (const radix of factors) {
    stages.push(makeStage(radix, length));
    length /= radix;
  }
  const roots = new Map<number, Split>();
  for (const radix of factors) if (radix > 5 && !roots.has(radix)) roots.set(radix, rootsOfUnity(radix));
  return {
    n,
    run([x, y], lanes) {
      let stride = lanes;
      for (const stage of stages) {
        runStage(stage, stride, x, y, roots.get(stage.radix));
        [x, y] = [y, x];
        stride *= stage.radix;
      }
      return x;
    },
  };
}

function makeStage(radix: number, length: number): Stage {
  const rest = length / radix;
  const cos = new Float64Array(rest * (radix - 1));
  const sin = new Float64Array(rest * (radix - 1));
  for (let p = 0, at = 0; p < rest; p++) {
    for (let j = 1; j < radix; j++, at++) [cos[at], sin[at]] = unitRoot(j * p, length);
  }
  return { radix, rest, cos, sin };
}

function rootsOfUnity(n: number): Split {
  const roots = allocateSplit(n);
  for (let k = 0; k < n; k++) [roots.re[k], roots.im[k]] = unitRoot(k, n);
  return roots;
}

/**
 * Any length by a cyclic convolution of a friendlier length m >= 2n - 1, since jk = (j^2 + k^2 - (j - k)^2) / 2:
 * Bluestein, "A linear filtering approach to the computation of the discrete Fourier transform", 1970.
 */
function bluestein(n: number): Plan {
  const m = friendlyLength(2 * n - 1);
  const inner = mixedRadix(m, factorize(m) as number[]);
  const chirp = allocateSplit(n);
  // j^2 mod 2n by differences of 2j + 1, exact for every n
  for (let j = 0, square = 0; j < n; square = (square + 2 * j + 1) % (2 * n), j++) {
    [chirp.re[j], chirp.im[j]] = unitRoot(square, 2 * n);
  }
  const filter = spectrumOfChirp(inner, chirp, n);
  return {
    n,
    run([x], lanes) {
      const a = allocateSplit(m * lanes);
      const b = allocateSplit(m * lanes);
      // exp(-i pi j^2 / n) x_j
      for (let j = 0, at = 0; j < n; j++) {
        const c = chirp.re[j];
        const s = chirp.im[j];
        for (let q = 0; q < lanes; q++, at++) {
          a.re[at] = x.re[at] * c + x.im[at] * s;
          a.im[at] = x.im[at] * c - x.re[at] * s;
        }
      }
      const spectrum = inner.run([a, b], lanes);
      const other = spectrum === a ? b : a;
      for (let k = 0, at = 0; k < m; k++) {
        const fr = filter.re[k];
        const fi = filter.im[k];
        for (let q = 0; q < lanes; q++, at++) {
          const re = spectrum.re[at];
          const im = spectrum.im[at];
          // exchanging the parts before and after makes the next forward transform an inverse one
          spectrum.re[at] = re * fi + im * fr;
          spectrum.im[at] = re * fr - im * fi;
        }
      }
      const { re: convolvedI, im: convolvedR } = inner.run([spectrum, other], lanes);
      for (let k = 0, at = 0; k < n; k++) {
        const c = chirp.re[k];
        const s = chirp.im[k];
        for (let q = 0; q < lanes; q++, at++) {
          x.re[at] = convolvedR[at] * c + convolvedI[at] * s;
          x.im[at] = convolvedI[at] * c - convolvedR[at] * s;
        }
      }
      return x;
    },
  };
}

/** Transform of the wrapped chirp exp(i pi j^2 / n), divided by the length m. */
function spectrumOfChirp(inner: Plan, chirp: Split, n: number): Split {
  const m = inner.n;
  const h = allocateSplit(m);
  for (let j = 0; j < n; j++) {
    h.re[j] = chirp.re[j] / m;
    h.im[j] = chirp.im[j] / m;
    if (j > 0) {
      h.re[m - j] = h.re[j];
      h.im[m - j] = h.im[j];
    }
  }
  return inner.run([h, allocateSplit(m)], 1);
}

/** The smallest number >= n of the form 2^a 3^b 5^c with little work per point. */
function friendlyLength(n: number): number {
  let best = 2 ** Math.ceil(Math.log2(n));
  while (best < n) best *= 2;
  for (const odd of [1, 3, 5, 9, 15]) {
    let candidate = odd;
    while (candidate < n) candidate *= 2;
    if (candidate < best) best = candidate;
  }
  return best;
}
