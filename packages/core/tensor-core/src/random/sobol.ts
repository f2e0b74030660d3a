import { checkOptions } from "../check-options.js";
import { allocate } from "../dtype.js";
import { FormatError } from "../errors.js";
import { requireInteger } from "../option-checks.js";
import { hostTensor, type Tensor } from "../tensor.js";
import { type FloatOptions, floatDType } from "./parameter.js";
import { Rng } from "./rng.js";
import { hashWords, mix, stateOfSeed } from "./seeding.js";
import { MAX_SOBOL_DIMENSION, sobolDirections } from "./sobol-directions.js";

const BITS = 32;
const MAX_POINTS = 2 ** BITS;

/**
 * How points are randomised. "linear": a random lower-triangular matrix on the binary digits of each coordinate and
 * a digital shift (Matousek, J. Complexity 14, 1998). "owen": nested uniform scrambling (Owen, 1995), slower, with a
 * smaller error for smooth integrands. false: the points of Joe and Kuo, which begin with 0.
 */
export type Scramble = "linear" | "owen" | false;

/** Options of `sobol`. */
export interface SobolOptions {
  /** Seed of the scrambling; default 0. A generator gives (and is advanced by) a seed of its own. */
  seed?: number | string | Rng;
  /** Default "linear". */
  scramble?: Scramble;
}

/** A Sobol sequence as plain data. */
export interface SobolState {
  /** The kind of sequence. */
  readonly sequence: "sobol";
  /** Of this description. */
  readonly version: 1;
  /** Coordinates of a point. */
  readonly dimension: number;
  /** How the points are randomised. */
  readonly scramble: Scramble;
  /** What the scrambling is drawn from: four 32-bit words. */
  readonly key: readonly number[];
  /** Number of points already taken. */
  readonly index: number;
}

/**
 * Points that fill the unit cube more evenly than random ones. Any 2^k consecutive points from the start are balanced:
 * prefer powers of two. Make one with `sobol`.
 */
export class SobolSequence {
  /** Coordinates of a point. */
  readonly dimension: number;
  /** How the points are randomised. */
  readonly scramble: Scramble;
  private readonly key: readonly number[];
  /** Direction numbers, `BITS` per dimension, first digit in the highest bit. */
  private readonly directions: Uint32Array;
  private readonly shift: Uint32Array;
  private readonly current: Uint32Array;
  private taken = 0;

  /** @internal Use `sobol`. */
  constructor(dimension: number, scramble: Scramble, key: readonly number[]) {
    this.dimension = dimension;
    this.scramble = scramble;
    this.key = key;
    this.directions = sobolDirections(dimension, BITS);
    this.shift = new Uint32Array(dimension);
    this.current = new Uint32Array(dimension);
    if (scramble === false) return;
    for (let j = 0; j < dimension; j++) this.shift[j] = hashWords([...key, j, 0])[0];
    if (scramble === "linear") scrambleLinearly(this.directions, key);
  }

  /** Number of points already taken. */
  get index(): number {
    return this.taken;
  }

  /**
   * The next `n` points, of shape `[n, dimension]`, in [0, 1); scrambled ones in (0, 1).
   * @throws ValueError after 2^32 points.
   */
  next(n: number, options: FloatOptions = {}): Tensor {
    requireInteger("sobol.next", "n", n, 0, MAX_POINTS - this.taken);
    const dtype = floatDType("sobol.next", options.dtype);
    const { dimension, directions, current, shift } = this;
    const out = allocate(dtype, n * dimension);
    const largest = dtype === "float32" ? 1 - 2 ** -24 : 1;
    const half = this.scramble === false ? 0 : 0.5;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < dimension; j++) {
        const digits = this.scramble === "owen" ? nestedScramble(current[j], shift[j]) : (current[j] ^ shift[j]) >>> 0;
        const value = (digits + half) / MAX_POINTS;
        out[i * dimension + j] = Math.min(value, largest);
      }
      // Gray code: the next point differs in the direction of the lowest zero bit of the index.
      const bit = lowestZeroBit(this.taken++);
      if (bit < BITS) for (let j = 0; j < dimension; j++) current[j] ^= directions[j * BITS + bit];
    }
    return hostTensor(out, [n, dimension], dtype);
  }

  /** Skips `n` points, at no cost that grows with `n`. */
  skip(n: number): this {
    requireInteger("sobol.skip", "n", n, 0, MAX_POINTS - this.taken);
    this.taken += n;
    const gray = (this.taken ^ (this.taken / 2)) >>> 0;
    for (let j = 0; j < this.dimension; j++) {
      let digits = 0;
      for (let bit = 0; bit < BITS; bit++) if ((gray >>> bit) & 1) digits ^= this.directions[j * BITS + bit];
      this.current[j] = digits;
    }
    return this;
  }

  /** The sequence as plain data; `SobolSequence.fromJSON` continues it. */
  toJSON(): SobolState {
    const { dimension, scramble, key, taken: index } = this;
    return { sequence: "sobol", version: 1, dimension, scramble, key: [...key], index };
  }

  /**
   * The sequence that `toJSON` described.
   * @throws FormatError for anything else.
   */
  static fromJSON(json: unknown): SobolSequence {
    const { sequence, version, dimension, scramble, key, index } = (json ?? {}) as Partial<SobolState>;
    const valid =
      sequence === "sobol" &&
      version === 1 &&
      isInteger(dimension, 1, MAX_SOBOL_DIMENSION) &&
      (scramble === "linear" || scramble === "owen" || scramble === false) &&
      Array.isArray(key) &&
      key.length === 4 &&
      key.every((word) => isInteger(word, -2147483648, 2147483647)) &&
      isInteger(index, 0, MAX_POINTS);
    if (!valid) {
      throw new FormatError("SobolSequence.fromJSON: this is not the state of a sequence; give what toJSON returned");
    }
    return new SobolSequence(dimension, scramble, key).skip(index);
  }
}

/**
 * A Sobol sequence of 1 to 256 dimensions with the direction numbers of Joe and Kuo, "Constructing Sobol sequences
 * with better two-dimensional projections", SIAM J. Sci. Comput. 30 (2008).
 * @throws ValueError for a dimension out of range.
 * @example sobol(2, { seed: 1 }).next(8)
 */
export function sobol(dimension: number, options: SobolOptions = {}): SobolSequence {
  const drawn = options?.seed instanceof Rng;
  checkOptions("sobol", drawn ? { ...options, seed: undefined } : options, ["seed", "scramble"]);
  requireInteger("sobol", "dimension", dimension, 1, MAX_SOBOL_DIMENSION);
  const { seed = 0, scramble = "linear" } = options;
  const key = seed instanceof Rng ? seed.split(1)[0].toJSON().state : stateOfSeed(seed);
  return new SobolSequence(dimension, scramble, key);
}

function isInteger(value: unknown, low: number, high: number): value is number {
  return Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
}

function lowestZeroBit(index: number): number {
  const ones = ~index;
  return ones === 0 ? BITS : 31 - Math.clz32(ones & -ones);
}

/** Multiplies every direction number by a random lower-triangular matrix over GF(2) with unit diagonal. */
function scrambleLinearly(directions: Uint32Array, key: readonly number[]): void {
  const rows = new Uint32Array(BITS);
  for (let j = 0; j * BITS < directions.length; j++) {
    const base = hashWords([...key, j, 1]);
    for (let p = 0; p < BITS; p++) {
      const random = mix(base[p & 3] ^ mix(base[(p + 1) & 3] + p));
      const digit = 2 ** (BITS - 1 - p);
      // earlier digits at random, digit p itself, no later ones
      rows[p] = ((random & ~(2 * digit - 1)) | digit) >>> 0;
    }
    for (let k = j * BITS; k < (j + 1) * BITS; k++) {
      let digits = 0;
      for (let p = 0; p < BITS; p++) digits = (digits << 1) | parity(rows[p] & directions[k]);
      directions[k] = digits;
    }
  }
}

function parity(x: number): number {
  x ^= x >>> 16;
  x ^= x >>> 8;
  x ^= x >>> 4;
  return (0x6996 >>> (x & 15)) & 1;
}

/** Flips every digit at random, with a coin of its own for each combination of the digits before it. */
function nestedScramble(digits: number, seed: number): number {
  let out = 0;
  let prefix = 1;
  for (let p = 0; p < BITS; p++) {
    const digit = (digits >>> (BITS - 1 - p)) & 1;
    out = (out << 1) | (digit ^ (mix(mix(prefix + p) ^ seed) & 1));
    prefix = (prefix << 1) | digit;
  }
  return out >>> 0;
}
