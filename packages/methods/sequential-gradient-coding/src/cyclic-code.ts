import {
  ConvergenceError,
  checkOptions,
  hostTensor,
  linalg,
  random,
  requireChoice,
  requireInteger,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { DecodeError } from "./errors.js";

/**
 * How a code is made: `cyclic` from random numbers, for every n and s; `fractional`: groups of workers with the same
 * chunks, where s + 1 divides n; `mds`: from roots of unity, where n - s is odd.
 */
export type CodeKind = "cyclic" | "fractional" | "mds";

/** Options of `cyclicCode`. */
export interface CodeOptions {
  /** Default `"cyclic"`. */
  readonly kind?: CodeKind;
  /** Seed of the random numbers. Default 0. */
  readonly seed?: number | string;
}

/** An (n, s)-gradient code: any n - s workers determine the sum over all n chunks. */
export interface GradientCode {
  /** n, workers and chunks. */
  readonly workers: number;
  /** s, workers that may be missing. */
  readonly tolerance: number;
  /** `[n, n]` float64: worker i returns `sum_j B[i][j] g_j`. */
  readonly matrix: Tensor;
  /** The chunks that a worker holds, with the factors of their gradients. */
  row(worker: number): { readonly chunks: readonly number[]; readonly factors: readonly number[] };
  /**
   * `[n]` weights of the workers' results whose sum is the gradient: 0 for those who are not among the survivors. Of all
   * such weights those of least norm.
   *
   * @throws DecodeError where the survivors do not determine it
   */
  decode(survivors: readonly number[]): Float64Array;
}

/** Largest coefficient of a random code that is taken: larger ones lose digits when they are decoded. */
const largestCoefficient = 1e3;
const draws = 100;
/** The part of the gradient that may be lost to rounding. */
const tolerance = 1e-6;
/** Decodings that are kept, by survivors. */
const kept = 512;

/** The chunks that a worker holds. */
export function chunksHeld(kind: CodeKind, n: number, s: number, worker: number): number[] {
  const first = kind === "fractional" ? worker - (worker % (s + 1)) : worker;
  return Array.from({ length: s + 1 }, (_, k) => (first + k) % n);
}

/** `[n, n]` rows with H B^T = 0, where H `[s, n]` is random and its columns sum to nothing (all ones lie in the rows' span). */
function cyclicMatrix(n: number, s: number, seed: number | string): Float64Array {
  const rng = random.rng(`${seed}/cyclicCode`);
  const B = new Float64Array(n * n);
  if (s === 0) {
    for (let i = 0; i < n; i++) B[i * n + i] = 1;
    return B;
  }
  for (let draw = 0; draw < draws; draw++) {
    const drawn = rng.normal([s, n], { dtype: "float64" }).data();
    const H = Float64Array.from(drawn);
    for (let k = 0; k < s; k++) {
      let sum = 0;
      for (let j = 0; j < n - 1; j++) sum += H[k * n + j];
      H[k * n + n - 1] = -sum;
    }
    // B_ii = 1; the other s entries of row i solve H[:, supp] x = -H[:, i].
    const systems = new Float64Array(n * s * s);
    const right = new Float64Array(n * s);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < s; k++) {
        right[i * s + k] = -H[k * n + i];
        for (let m = 0; m < s; m++) systems[(i * s + k) * s + m] = H[k * n + ((i + 1 + m) % n)];
      }
    }
    const x = linalg.solve(hostTensor(systems, [n, s, s], "float64"), hostTensor(right, [n, s, 1], "float64")).data();
    if (!x.every((value) => Math.abs(value) <= largestCoefficient)) continue;
    for (let i = 0; i < n; i++) {
      B[i * n + i] = 1;
      for (let m = 0; m < s; m++) B[i * n + ((i + 1 + m) % n)] = x[i * s + m];
    }
    return B;
  }
  throw new ConvergenceError(
    `cyclicCode: ${draws} random codes of ${n} workers and tolerance ${s} have coefficients above ${largestCoefficient}; ` +
      "take another kind or a smaller tolerance",
  );
}

/** Groups of s + 1 workers that hold the same s + 1 chunks. */
function fractionalMatrix(n: number, s: number): Float64Array {
  const B = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const first = i - (i % (s + 1));
    B.fill(1, i * n + first, i * n + first + s + 1);
  }
  return B;
}

/** A circulant whose first row has the coefficients of prod (x - w^k) over s roots of unity centred at -1, with sum 1. */
function mdsMatrix(n: number, s: number): Float64Array {
  let [real, imaginary] = [[1], [0]];
  for (let m = 0; m < s; m++) {
    // k runs from n/2 - (s-1)/2; n - s is odd, so k is an integer.
    const angle = (2 * Math.PI * ((n - s + 1) / 2 + m)) / n;
    const [c, d] = [Math.cos(angle), Math.sin(angle)];
    const at = (values: number[], j: number) => values[j] ?? 0;
    const [re, im] = [real, imaginary];
    const degrees = Array.from({ length: m + 2 }, (_, j) => j);
    real = degrees.map((j) => at(re, j - 1) - c * at(re, j) + d * at(im, j));
    imaginary = degrees.map((j) => at(im, j - 1) - c * at(im, j) - d * at(re, j));
  }
  const sum = real.reduce((total, value) => total + value, 0);
  const B = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= s; j++) B[i * n + ((i + j) % n)] = real[j] / sum;
  return B;
}

/**
 * What decoding needs, from one decomposition: the weights `a0` of least norm that give all ones, and an orthonormal basis
 * Z `[n, s]` of the weights that give nothing. Weights that vanish at the stragglers F are a0 + Z y with Z_F y = -a0_F.
 */
function decodingBasis(B: Tensor, n: number, s: number): { readonly a0: Float64Array; readonly Z: Float64Array } {
  const { u, s: singular, vt } = linalg.svd(B);
  const [U, S, V] = [u.data(), singular.data(), vt.data()];
  const a0 = new Float64Array(n);
  for (let k = 0; k < n - s; k++) {
    let ones = 0;
    for (let j = 0; j < n; j++) ones += V[k * n + j];
    for (let i = 0; i < n; i++) a0[i] += (U[i * n + k] * ones) / S[k];
  }
  const Z = new Float64Array(n * s);
  for (let i = 0; i < n; i++) for (let m = 0; m < s; m++) Z[i * s + m] = U[i * n + n - s + m];
  return { a0, Z };
}

function spreadDecoder(B: Tensor, n: number, s: number): (missing: readonly number[]) => Float64Array {
  let basis: ReturnType<typeof decodingBasis> | undefined;
  return (missing) => {
    basis ??= decodingBasis(B, n, s);
    const { a0, Z } = basis;
    const weights = a0.slice();
    const f = missing.length;
    if (f > 0 && s > 0) {
      const rows = new Float64Array(f * s);
      for (const [k, worker] of missing.entries()) rows.set(Z.subarray(worker * s, (worker + 1) * s), k * s);
      const right = Float64Array.from(missing, (worker) => -a0[worker]);
      const y = linalg.lstsq(hostTensor(rows, [f, s], "float64"), hostTensor(right, [f], "float64")).data();
      for (let i = 0; i < n; i++) for (let m = 0; m < s; m++) weights[i] += Z[i * s + m] * y[m];
    }
    for (const worker of missing) weights[worker] = 0;
    return weights;
  };
}

/** One of each group. */
function groupDecoder(n: number, s: number): (missing: readonly number[]) => Float64Array {
  return (missing) => {
    const weights = new Float64Array(n);
    const lost = new Set(missing);
    for (let first = 0; first < n; first += s + 1) {
      for (let i = first; i <= first + s; i++) {
        if (lost.has(i)) continue;
        weights[i] = 1;
        break;
      }
    }
    return weights;
  };
}

/**
 * An (n, s)-gradient code. Random codes keep about ten digits at n = 256, s = 15; `mds` keeps more, but none where the
 * stragglers are many neighbours of a large n.
 *
 * @throws ValueError where s >= n, or the kind does not exist for these numbers
 * @see https://arxiv.org/abs/1612.03301 Tandon, Lei, Dimakis, Karampatziakis, Gradient Coding
 */
export function cyclicCode(workers: number, stragglers: number, options: CodeOptions = {}): GradientCode {
  const owner = "cyclicCode";
  checkOptions(owner, options, ["kind", "seed"]);
  const { kind = "cyclic", seed = 0 } = options;
  requireInteger(owner, "workers", workers, 1);
  requireInteger(owner, "stragglers", stragglers, 0, workers - 1);
  requireChoice(owner, "kind", kind, ["cyclic", "fractional", "mds"]);
  const [n, s] = [workers, stragglers];
  if (kind === "fractional" && n % (s + 1) !== 0) {
    throw new ValueError(`${owner}: kind "fractional" needs stragglers + 1 = ${s + 1} to divide workers = ${n}`);
  }
  if (kind === "mds" && (n - s) % 2 === 0) {
    throw new ValueError(`${owner}: kind "mds" needs workers - stragglers = ${n - s} to be odd`);
  }
  const B =
    kind === "mds" ? mdsMatrix(n, s) : kind === "fractional" ? fractionalMatrix(n, s) : cyclicMatrix(n, s, seed);
  const matrix = hostTensor(B, [n, n], "float64");
  const weigh = kind === "fractional" ? groupDecoder(n, s) : spreadDecoder(matrix, n, s);
  const decoded = new Map<string, Float64Array>();
  const decode = (survivors: readonly number[]): Float64Array => {
    const alive = new Uint8Array(n);
    for (const worker of survivors) {
      requireInteger("decode", "survivors", worker, 0, n - 1);
      alive[worker] = 1;
    }
    const missing = Array.from(alive.keys()).filter((worker) => alive[worker] === 0);
    const weights = weigh(missing);
    let worst = 0;
    for (let j = 0; j < n; j++) {
      let sum = -1;
      for (let i = 0; i < n; i++) sum += weights[i] * B[i * n + j];
      worst = Math.max(worst, Math.abs(sum));
    }
    if (worst <= tolerance) return weights;
    throw new DecodeError(
      `decode: the results of ${n - missing.length} of ${n} workers miss part of a chunk (${worst.toExponential(1)}); ` +
        `any ${n - s} determine the gradient up to rounding`,
    );
  };
  return {
    workers: n,
    tolerance: s,
    matrix,
    row(worker) {
      requireInteger("row", "worker", worker, 0, n - 1);
      const chunks = chunksHeld(kind, n, s, worker);
      return { chunks, factors: chunks.map((chunk) => B[worker * n + chunk]) };
    },
    decode(survivors) {
      const key = [...survivors].sort((a, b) => a - b).join();
      const known = decoded.get(key);
      if (known !== undefined) return known.slice();
      const weights = decode(survivors);
      if (decoded.size >= kept) decoded.clear();
      decoded.set(key, weights);
      return weights.slice();
    },
  };
}
