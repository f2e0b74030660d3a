import { requireInteger, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";

/** Activation patterns: which samples a hidden neuron passes on. */
export interface Patterns {
  /** P distinct patterns, each `[samples]` of 0 and 1: the diagonals of D_i = diag(1[X a_i >= 0]). */
  readonly D: readonly Uint8Array[];
  /** How many vectors were drawn for them; 0 for an enumeration and for patterns of one's own. */
  readonly draws: number;
  /** Whether fewer patterns were found than asked for. */
  readonly exhausted: boolean;
  /**
   * Whether these are all patterns that any network can have on the data, or with radii all that can be used, so that
   * certificates hold for every network. Training looks at whether it is so for its data.
   */
  readonly complete: boolean;
}

/** @internal Collects distinct patterns in the order of their first appearance. */
export class PatternSet {
  /** What was collected. */
  readonly D: Uint8Array[] = [];
  private readonly seen = new Set<string>();

  /** Adds a copy of a pattern; false where it is there already. */
  add(pattern: Uint8Array): boolean {
    const key = patternKey(pattern);
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    this.D.push(pattern.slice());
    return true;
  }

  /** Whether a pattern is there. */
  has(pattern: Uint8Array): boolean {
    return this.seen.has(patternKey(pattern));
  }
}

/** Fifteen bits to a character. */
function patternKey(pattern: Uint8Array): string {
  let key = "";
  for (let start = 0; start < pattern.length; start += 15) {
    let word = 1;
    for (let k = start; k < Math.min(start + 15, pattern.length); k++) word = 2 * word + pattern[k];
    key += String.fromCharCode(word);
  }
  return key;
}

/** @internal `out[k] = 1[x_k^T a >= 0]` for rows `[n, d]`; gives the largest |x_k^T a| left to the caller. */
export function patternOf(
  rows: Float64Array,
  n: number,
  d: number,
  a: Float64Array,
  at: number,
  out: Uint8Array,
): void {
  for (let k = 0, p = 0; k < n; k++) {
    let sum = 0;
    for (let c = 0; c < d; c++, p++) sum += rows[p] * a[at + c];
    out[k] = sum >= 0 ? 1 : 0;
  }
}

/**
 * Number of activation patterns of `n` samples in general position in `rank` dimensions,
 * `2 sum_{k < rank} C(n - 1, k)`: an upper bound for every data set.
 * @param rank of X, with its column of ones.
 * @throws ValueError for what is no positive integer.
 */
export function patternCount(n: number, rank: number): number {
  requireInteger("patternCount", "n", n, 1);
  requireInteger("patternCount", "rank", rank, 1);
  return cellCount(n, rank);
}

/** @internal The same for any n, as large as the corners of many boxes are. */
export function cellCount(n: number, rank: number): number {
  let term = 1;
  let sum = 0;
  for (let k = 0; k < Math.min(rank, n); k++) {
    sum += term;
    term = (term * (n - 1 - k)) / (k + 1);
  }
  return 2 * sum;
}

/**
 * How many patterns to draw so that, with probability at least `1 - xi` over the draws, one more random pattern lowers
 * the optimum with probability at most `psi`: `min{(n + 1) / (psi xi) - 1, 2/psi (n + 1 - ln xi)}`, rounded up. The
 * bound counts draws, not distinct patterns.
 * @param n number of samples.
 * @param psi in (0, 1].
 * @param xi in (0, 1].
 * @throws ValueError for values out of range.
 */
export function patternBound(n: number, psi: number, xi: number): number {
  return scenarioBound("patternBound", n + 1, psi, xi);
}

/**
 * How many unit vectors the sampled programme needs so that, with confidence `1 - xi`, a new unit vector violates the
 * dual constraint with probability at most `psi`: `min{n / (psi xi) - 1, 2/psi (n - ln xi)}`, rounded up.
 * @param n number of samples.
 * @param psi in (0, 1].
 * @param xi in (0, 1].
 * @throws ValueError for values out of range.
 */
export function sampleBound(n: number, psi: number, xi: number): number {
  return scenarioBound("sampleBound", n, psi, xi);
}

function scenarioBound(owner: string, variables: number, psi: number, xi: number): number {
  if (!Number.isSafeInteger(variables) || variables < 1) {
    throw new ValueError(`${owner}: n must be a whole number of samples, at least 1`);
  }
  for (const [name, value] of [["psi", psi] as const, ["xi", xi] as const]) {
    if (!(value > 0 && value <= 1)) throw new ValueError(`${owner}: ${name} is ${value}; it must be in (0, 1]`);
  }
  const bound = Math.min(variables / (psi * xi) - 1, (2 / psi) * (variables - Math.log(xi)));
  return Math.max(1, Math.ceil(bound - 1e-9));
}

/** @internal @throws ValueError, ShapeError for patterns that are not 0 and 1 for every sample, or none at all */
export function checkPatterns(owner: string, patterns: Patterns, n: number): void {
  requireObject(owner, "patterns", patterns, "a number, or what samplePatterns gives");
  const { D } = patterns;
  if (!Array.isArray(D) || D.length === 0) throw new ValueError(`${owner}: patterns.D must hold at least one pattern`);
  for (const [i, pattern] of D.entries()) {
    requireObject(owner, `pattern ${i}`, pattern, "an array of 0 and 1");
    if (pattern.length !== n) {
      throw new ShapeError(
        `${owner}: pattern ${i} has length ${pattern.length} for ${n} samples; give one entry per sample`,
      );
    }
    for (let k = 0; k < n; k++) {
      if (pattern[k] !== 0 && pattern[k] !== 1) {
        throw new ValueError(`${owner}: pattern ${i} has the entry ${pattern[k]}; patterns hold 0 and 1`);
      }
    }
  }
}
