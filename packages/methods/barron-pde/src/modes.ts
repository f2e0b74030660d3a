import { hashOf, ModeTable } from "./mode-table.js";

/** Coefficients by frequency, of each pair k, -k one: entries of frequency j are `k[j d]` to `k[j d + d - 1]`. */
export interface Modes {
  /** `[m, d]` frequencies whose first entry that is not 0 is positive. */
  readonly k: Int32Array;
  /** `[m]` real parts of their coefficients. */
  readonly re: Float64Array;
  /** `[m]` imaginary parts. */
  readonly im: Float64Array;
}

/** `|c|` of each. */
export function sizesOf({ re, im }: Modes): Float64Array {
  const sizes = new Float64Array(re.length);
  for (let j = 0; j < sizes.length; j++) sizes[j] = Math.sqrt(re[j] * re[j] + im[j] * im[j]);
  return sizes;
}

/** `|omega|` of each, for a period. */
export function frequenciesOf({ k, re }: Modes, dimension: number, period: number): Float64Array {
  const factor = (2 * Math.PI) / period;
  const omega = new Float64Array(re.length);
  for (let j = 0, at = 0; j < omega.length; j++) {
    let squares = 0;
    for (let i = 0; i < dimension; i++, at++) squares += k[at] ** 2;
    omega[j] = factor * Math.sqrt(squares);
  }
  return omega;
}

/** Values at some places, in that order. */
export function chosenValues(values: Float64Array, places: ArrayLike<number>): Float64Array {
  const chosen = new Float64Array(places.length);
  for (let i = 0; i < chosen.length; i++) chosen[i] = values[places[i]];
  return chosen;
}

/** Modes at some places, in that order. */
export function chosenModes({ k, re, im }: Modes, dimension: number, places: ArrayLike<number>): Modes {
  const chosen = new Int32Array(places.length * dimension);
  for (let i = 0, at = 0; i < places.length; i++) {
    const from = places[i] * dimension;
    for (let axis = 0; axis < dimension; axis++, at++) chosen[at] = k[from + axis];
  }
  return { k: chosen, re: chosenValues(re, places), im: chosenValues(im, places) };
}

/** Modes by size, as a factor of a product. */
export interface OrderedModes extends Modes {
  /** Their places before they were ordered. */
  readonly places: Int32Array;
  /** `[m]` `|c|`, falling. */
  readonly size: Float64Array;
  /** `[m]` sums of the sizes from each one on. */
  readonly rest: Float64Array;
}

/** The largest first. */
export function orderedModes(modes: Modes, dimension: number): OrderedModes {
  const sizes = sizesOf(modes);
  const places = new Int32Array(sizes.length);
  for (let j = 0; j < places.length; j++) places[j] = j;
  places.sort((i, j) => sizes[j] - sizes[i]);
  const size = chosenValues(sizes, places);
  const rest = size.slice();
  for (let i = rest.length - 2; i >= 0; i--) rest[i] += rest[i + 1];
  return { ...chosenModes(modes, dimension, places), places, size, rest };
}

/** `sum factor * modes`, those of one frequency added up. */
export function sumOfModes(
  dimension: number,
  terms: readonly { readonly modes: Modes; readonly factor: number }[],
): Modes {
  const largest = terms.reduce((most, { modes }) => Math.max(most, modes.re.length), 0);
  const table = new ModeTable(dimension, largest);
  for (const { modes, factor } of terms) {
    const { k, re, im } = modes;
    for (let j = 0; j < re.length; j++) {
      const at = j * dimension;
      table.add(hashOf(k, at, dimension), k, at, k, at, 0, 1, factor * re[j], factor * im[j]);
    }
  }
  return table.modes();
}
