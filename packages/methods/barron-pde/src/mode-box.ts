import { chosenValues, type Modes } from "./modes.js";

/**
 * Coefficients of all frequencies up to a bound along each axis, side by side, so that they are added up without looking for
 * them: places are linear in the frequency, and those of opposite frequencies lie opposite to each other about `centre`.
 */
export class ModeBox {
  /** Real parts by place. */
  readonly re: Float64Array;
  /** Imaginary parts. */
  readonly im: Float64Array;
  /** The place of the frequency 0. */
  readonly centre: number;
  readonly #bounds: Float64Array;
  readonly #strides: Int32Array;

  /** @param bounds the largest entry of a frequency along each axis */
  constructor(bounds: Float64Array) {
    this.#bounds = bounds;
    this.#strides = new Int32Array(bounds.length);
    let size = 1;
    for (let i = bounds.length - 1; i >= 0; i--) {
      this.#strides[i] = size;
      size *= 2 * bounds[i] + 1;
    }
    this.re = new Float64Array(size);
    this.im = new Float64Array(size);
    this.centre = (size - 1) / 2;
  }

  /** How many places that would be. */
  static size(bounds: Float64Array): number {
    return bounds.reduce((size, bound) => size * (2 * bound + 1), 1);
  }

  /** Places of frequencies, from the centre. */
  places({ k, re }: Modes): Int32Array {
    const d = this.#strides.length;
    const places = new Int32Array(re.length);
    for (let j = 0, at = 0; j < places.length; j++) {
      for (let i = 0; i < d; i++, at++) places[j] += k[at] * this.#strides[i];
    }
    return places;
  }

  /**
   * The modes of the real function whose coefficients are what was added at each frequency and the conjugate of what was
   * added at the opposite one; without those that are 0.
   */
  modes(): Modes {
    const { re, im, centre } = this;
    const d = this.#strides.length;
    const found: number[] = [];
    for (let at = centre + 1, opposite = centre - 1; at < re.length; at++, opposite--) {
      const [real, imaginary] = [re[at] + re[opposite], im[at] - im[opposite]];
      if (real === 0 && imaginary === 0) continue;
      re[at] = real;
      im[at] = imaginary;
      found.push(at);
    }
    // Frequencies behind the centre are those whose first entry that is not 0 is positive: strides are those of digits.
    const k = new Int32Array(found.length * d);
    for (let j = 0; j < found.length; j++) {
      for (let i = 0, rest = found[j]; i < d; i++) {
        const digit = Math.floor(rest / this.#strides[i]);
        rest -= digit * this.#strides[i];
        k[j * d + i] = digit - this.#bounds[i];
      }
    }
    return { k, re: chosenValues(re, found), im: chosenValues(im, found) };
  }
}
