import { ValueError } from "../errors.js";

/** State of the generator: four 32-bit words, not all zero. */
export type State = readonly [number, number, number, number];

/** A bijective mixing of 32 bits in which every input bit changes half of the output bits. */
export function mix(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

/** Hashes any number of 32-bit words to 128 bits: each word goes into all four lanes, each lane into the next. */
export function hashWords(input: ArrayLike<number>): State {
  let a = 0x243f6a88; // the fractional bits of pi
  let b = 0x85a308d3;
  let c = 0x13198a2e;
  let d = 0x03707344;
  const absorb = (word: number): void => {
    a = mix((a ^ word) + d);
    b = mix((b ^ word) + a);
    c = mix((c ^ word) + b);
    d = mix((d ^ word) + c);
  };
  for (let i = 0; i < input.length; i++) absorb(input[i] | 0);
  absorb(input.length);
  absorb(0x5bd1e995);
  return (a | b | c | d) === 0 ? [1, 2, 3, 4] : [a, b, c, d];
}

/** The words of a text, one per UTF-16 unit, after a word that keeps texts apart from numbers. */
export function textWords(text: string): number[] {
  const words = [0x74657874];
  for (let i = 0; i < text.length; i++) words.push(text.charCodeAt(i));
  return words;
}

/**
 * The state for a seed. Any finite number and any text is a seed; nearby seeds give unrelated states.
 * @throws ValueError for NaN, infinite numbers and other types.
 */
export function stateOfSeed(seed: number | string): State {
  if (typeof seed === "string") return hashWords(textWords(seed));
  if (typeof seed !== "number" || !Number.isFinite(seed)) {
    throw new ValueError(`random: the seed is ${String(seed)}; give a finite number or a text`);
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, seed === 0 ? 0 : seed);
  return hashWords([view.getInt32(0), view.getInt32(4)]);
}
