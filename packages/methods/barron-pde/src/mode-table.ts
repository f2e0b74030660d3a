/**
 * Coefficients by frequency, added up: a hash table with open addressing whose keys are vectors of integers. Hashes are
 * linear in the frequency, so that those of sums and differences are had without looking at their entries.
 */
export class ModeTable {
  readonly #dimension: number;
  #slots: Int32Array;
  #hashes: Int32Array;
  #keys: Int32Array;
  #re: Float64Array;
  #im: Float64Array;
  #count = 0;

  /** @param expected modes for which there is room at first */
  constructor(dimension: number, expected = 64) {
    const room = Math.max(1, expected);
    this.#dimension = dimension;
    this.#keys = new Int32Array(room * dimension);
    this.#hashes = new Int32Array(room);
    this.#re = new Float64Array(room);
    this.#im = new Float64Array(room);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(4 * room))).fill(-1);
  }

  /** Modes that it has. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds to the coefficient of `sign * (a[from] + other * b[to])`, with its conjugate where `sign` is -1.
   *
   * @param hash of the frequency, by `hashOf`
   */
  add(
    hash: number,
    a: Int32Array,
    from: number,
    b: Int32Array,
    to: number,
    other: number,
    sign: number,
    re: number,
    im: number,
  ): void {
    const d = this.#dimension;
    const mask = this.#slots.length - 1;
    const signed = Math.imul(sign, hash);
    let slot = (signed ^ (signed >>> 15)) & mask;
    for (;;) {
      const at = this.#slots[slot];
      if (at < 0) break;
      if (this.#hashes[at] === signed && this.#same(at, a, from, b, to, other, sign)) {
        this.#re[at] += re;
        this.#im[at] += sign * im;
        return;
      }
      slot = (slot + 1) & mask;
    }
    if (this.#count === this.#re.length) this.#grow();
    const at = this.#count++;
    for (let i = 0; i < d; i++) this.#keys[at * d + i] = sign * (a[from + i] + other * b[to + i]);
    this.#hashes[at] = signed;
    this.#re[at] = re;
    this.#im[at] = sign * im;
    this.#slots[slot] = at;
    if (2 * this.#count > this.#slots.length) this.#spread();
  }

  /** The modes, in the order in which they came. */
  modes(): { k: Int32Array; re: Float64Array; im: Float64Array } {
    return {
      k: this.#keys.slice(0, this.#count * this.#dimension),
      re: this.#re.slice(0, this.#count),
      im: this.#im.slice(0, this.#count),
    };
  }

  #same(at: number, a: Int32Array, from: number, b: Int32Array, to: number, other: number, sign: number): boolean {
    const d = this.#dimension;
    for (let i = 0; i < d; i++) {
      if (this.#keys[at * d + i] !== sign * (a[from + i] + other * b[to + i])) return false;
    }
    return true;
  }

  #grow(): void {
    const double = <A extends Int32Array | Float64Array>(values: A): A => {
      const larger = new (values.constructor as new (size: number) => A)(2 * values.length);
      larger.set(values);
      return larger;
    };
    this.#keys = double(this.#keys);
    this.#hashes = double(this.#hashes);
    this.#re = double(this.#re);
    this.#im = double(this.#im);
  }

  #spread(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1);
    const mask = this.#slots.length - 1;
    for (let at = 0; at < this.#count; at++) {
      const hash = this.#hashes[at];
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (this.#slots[slot] >= 0) slot = (slot + 1) & mask;
      this.#slots[slot] = at;
    }
  }
}

/** Odd factors, one a coordinate. */
function factor(i: number): number {
  return (Math.imul(i + 1, 0x9e3779b1) ^ 0x5bd1e995) | 1;
}

/** The hash of the frequency at `from`. */
export function hashOf(k: Int32Array, from: number, dimension: number): number {
  let hash = 0;
  for (let i = 0; i < dimension; i++) hash = (hash + Math.imul(k[from + i], factor(i))) | 0;
  return hash;
}

/** The sign of the first entry of `a[from] + other * b[to]` that is not 0; 0 where all are. */
export function signOf(
  a: Int32Array,
  from: number,
  b: Int32Array,
  to: number,
  other: number,
  dimension: number,
): number {
  for (let i = 0; i < dimension; i++) {
    const entry = a[from + i] + other * b[to + i];
    if (entry !== 0) return entry > 0 ? 1 : -1;
  }
  return 0;
}

/** Adds a coefficient of `sign * k[at]`. */
export function addMode(
  table: ModeTable,
  k: Int32Array,
  at: number,
  dimension: number,
  sign: number,
  re: number,
  im: number,
): void {
  table.add(hashOf(k, at, dimension), k, at, k, at, 0, sign, re, im);
}
