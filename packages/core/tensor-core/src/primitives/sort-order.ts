import type { TypedArray } from "../dtype.js";

/**
 * Numbers whose increasing order is the order wanted, NaN last in either direction: values, negated where the
 * largest comes first. A NaN becomes Infinity and so ties with Infinity itself, which `nanAfter` settles.
 */
export interface SortKeys {
  readonly values: Float64Array;
  /** Which keys stand for NaN; null where none does. */
  readonly nan: Uint8Array | null;
}

/** The keys of one line of values. */
export function sortKeys(line: TypedArray, largest: boolean): SortKeys {
  const values = new Float64Array(line.length);
  let nan: Uint8Array | null = null;
  for (let i = 0; i < line.length; i++) {
    const value = line[i];
    if (value === value) values[i] = largest ? -value : value;
    else {
      nan ??= new Uint8Array(line.length);
      nan[i] = 1;
      values[i] = Number.POSITIVE_INFINITY;
    }
  }
  return { values, nan };
}

/** Whether index a comes after index b: a larger key, or an equal one and a NaN or the larger index. */
function isAfter({ values, nan }: SortKeys, a: number, b: number): boolean {
  const x = values[a];
  const y = values[b];
  if (x !== y) return x > y;
  if (nan !== null && nan[a] !== nan[b]) return nan[a] > nan[b];
  return a > b;
}

const RUN = 16;

/** The stable order of the keys, by merging runs that are sorted by insertion. */
export function mergeOrder(keys: SortKeys): Int32Array {
  const n = keys.values.length;
  if (keys.nan === null) return mergeValues(keys.values);
  let order = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const start = i - (i % RUN);
    let j = i;
    for (; j > start && isAfter(keys, order[j - 1], i); j--) order[j] = order[j - 1];
    order[j] = i;
  }
  let merged = new Int32Array(n);
  for (let width = RUN; width < n; width *= 2) {
    for (let from = 0; from < n; from += 2 * width) {
      const middle = Math.min(from + width, n);
      const end = Math.min(from + 2 * width, n);
      let a = from;
      let b = middle;
      for (let o = from; o < end; o++) {
        merged[o] = b >= end || (a < middle && isAfter(keys, order[b], order[a])) ? order[a++] : order[b++];
      }
    }
    [order, merged] = [merged, order];
  }
  return order;
}

/** `mergeOrder` where no key stands for NaN: of equal ones the earlier is in front already. */
function mergeValues(values: Float64Array): Int32Array {
  const n = values.length;
  let order = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const start = i - (i % RUN);
    const value = values[i];
    let j = i;
    for (; j > start && values[order[j - 1]] > value; j--) order[j] = order[j - 1];
    order[j] = i;
  }
  let merged = new Int32Array(n);
  for (let width = RUN; width < n; width *= 2) {
    for (let from = 0; from < n; from += 2 * width) {
      const middle = Math.min(from + width, n);
      const end = Math.min(from + 2 * width, n);
      let a = from;
      let b = middle;
      for (let o = from; o < end; o++) {
        merged[o] = b >= end || (a < middle && values[order[a]] <= values[order[b]]) ? order[a++] : order[b++];
      }
    }
    [order, merged] = [merged, order];
  }
  return order;
}

/**
 * The stable order of short lines of 32 bits or fewer: a double holds such a key and an index behind it exactly, and the
 * engine sorts doubles by itself. Calls share their memory.
 */
export function packedOrder(line: Exclude<TypedArray, Float64Array>, largest: boolean): () => Int32Array {
  const n = line.length;
  const packed = new Float64Array(n);
  const order = new Int32Array(n);
  const wordsOf = narrowWords(line, largest);
  return () => {
    const words = wordsOf();
    for (let i = 0; i < n; i++) packed[i] = words[i] * n + i;
    packed.sort();
    for (let i = 0; i < n; i++) order[i] = packed[i] % n;
    return order;
  };
}

/** The first k indices in order, by a heap whose root is the last of the best so far. */
export function selectOrder(keys: SortKeys, k: number): Int32Array {
  const n = keys.values.length;
  const heap = new Int32Array(k);
  const sink = (start: number, size: number) => {
    const moving = heap[start];
    let hole = start;
    for (let child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && isAfter(keys, heap[child + 1], heap[child])) child++;
      if (!isAfter(keys, heap[child], moving)) break;
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = moving;
  };
  if (k === 0) return heap;
  for (let i = 0; i < k; i++) heap[i] = i;
  for (let i = (k >> 1) - 1; i >= 0; i--) sink(i, k);
  for (let i = k; i < n; i++) {
    if (isAfter(keys, heap[0], i)) {
      heap[0] = i;
      sink(0, k);
    }
  }
  for (let size = k - 1; size > 0; size--) {
    const last = heap[0];
    heap[0] = heap[size];
    sink(0, size);
    heap[size] = last;
  }
  return heap;
}

const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;

/** The stable order of a long line, by counting the digits of keys made of the bits of the values. */
export function radixOrder(line: TypedArray, largest: boolean): Int32Array {
  const n = line.length;
  const words = orderedWords(line, largest);
  let order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  let next = new Int32Array(n);
  const counts = new Int32Array(BUCKETS);
  for (const word of words) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      counts.fill(0);
      for (let i = 0; i < n; i++) counts[(word[i] >>> shift) & (BUCKETS - 1)]++;
      // All in one bucket: this digit changes nothing.
      if (counts[(word[0] >>> shift) & (BUCKETS - 1)] === n) continue;
      for (let digit = 0, start = 0; digit < BUCKETS; digit++) {
        const count = counts[digit];
        counts[digit] = start;
        start += count;
      }
      for (let i = 0; i < n; i++) {
        const index = order[i];
        next[counts[(word[index] >>> shift) & (BUCKETS - 1)]++] = index;
      }
      [order, next] = [next, order];
    }
  }
  return order;
}

/**
 * Unsigned 32-bit words, the least significant first, that sort as the values do. IEEE 754 numbers sort by their
 * bits once those of negative ones are inverted and the sign of the others is set; NaN gets the largest key.
 */
function orderedWords(line: TypedArray, largest: boolean): Uint32Array[] {
  const n = line.length;
  const flip = largest ? 0xffffffff : 0;
  if (line instanceof Float64Array) {
    const canonical = Float64Array.from(line);
    // Adding 0 turns -0 into 0, which it equals.
    for (let i = 0; i < n; i++) canonical[i] += 0;
    const bits = new Uint32Array(canonical.buffer);
    const [lowAt, highAt] = LITTLE_ENDIAN ? [0, 1] : [1, 0];
    const low = new Uint32Array(n);
    const high = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const value = canonical[i];
      if (value !== value) {
        low[i] = high[i] = 0xffffffff;
        continue;
      }
      const top = bits[2 * i + highAt];
      const negative = top >>> 31 === 1;
      high[i] = (negative ? ~top : top | 0x80000000) ^ flip;
      low[i] = (negative ? ~bits[2 * i + lowAt] : bits[2 * i + lowAt]) ^ flip;
    }
    return [low, high];
  }
  return [narrowWords(line, largest)()];
}

/** The words of values of 32 bits or fewer, from what `line` holds when asked. Calls share their memory. */
function narrowWords(line: Exclude<TypedArray, Float64Array>, largest: boolean): () => Uint32Array {
  const words = new Uint32Array(line.length);
  const floats = new Float32Array(words.buffer);
  const flip = largest ? 0xffffffff : 0;
  const isFloat = line instanceof Float32Array;
  return () => {
    for (let i = 0; i < words.length; i++) {
      const value = line[i];
      if (!isFloat) words[i] = value ^ 0x80000000 ^ flip;
      else if (value !== value) words[i] = 0xffffffff;
      else {
        // Adding 0 turns -0 into 0, which it equals.
        floats[i] = value + 0;
        words[i] = (words[i] >>> 31 === 1 ? ~words[i] : words[i] | 0x80000000) ^ flip;
      }
    }
    return words;
  };
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
