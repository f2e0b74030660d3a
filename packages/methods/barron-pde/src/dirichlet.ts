import {
  checkOptions,
  requireInteger,
  requireNonNegative,
  requireObject,
  ShapeError,
  ValueError,
} from "@offprint/tensor-core";
import { addMode, ModeTable, signOf } from "./mode-table.js";
import { dimensionOf, frequencyOf } from "./require-frequency.js";
import { requireNumber } from "./require-number.js";
import { SparseFourier } from "./sparse-fourier.js";

/** `b sin(pi k_1 x_1) ... sin(pi k_d x_d)`. */
export interface Sine {
  /** d integers >= 1. */
  readonly k: readonly number[];
  /** Amplitude. */
  readonly b: number;
}

/**
 * A function that vanishes on the faces of the cube [0, 1]^d, as its odd continuation of period 2. The equations that
 * this package ships keep it odd, so that solutions vanish there, too.
 *
 * @param terms sines, added up; each becomes 2^(d - 1) pairs of modes
 * @param options `dimension`, where there is no term
 */
export function sines(terms: readonly Sine[], options: { readonly dimension?: number } = {}): SparseFourier {
  requireObject("sines", "terms", terms, "an array");
  const owner = "sines";
  checkOptions(owner, options, ["dimension"]);
  const d = dimensionOf(owner, "terms", terms, options.dimension);
  requireInteger(owner, "dimension", d, 1, 20);
  const table = new ModeTable(d);
  const signed = new Int32Array(d);
  for (const [j, term] of terms.entries()) {
    checkOptions(`${owner}: terms[${j}]`, term, ["k", "b"]);
    const { k, b } = term;
    const frequency = frequencyOf(owner, `terms[${j}].k`, k, d);
    requireNumber(owner, `terms[${j}].b`, b);
    if (frequency.some((entry) => entry < 1))
      throw new ShapeError(`${owner}: terms[${j}].k is [${k}]; sines have k >= 1`);
    // The product of the factors 1 / (2 i) is real or imaginary.
    const size = b / 2 ** d;
    const [re, im] = [
      [size, 0],
      [0, -size],
      [-size, 0],
      [0, size],
    ][d % 4];
    for (let signs = 0; signs < 2 ** (d - 1); signs++) {
      let parity = 1;
      for (let i = 0; i < d; i++) {
        // The first entry stays positive.
        const negative = i > 0 && ((signs >> (i - 1)) & 1) === 1;
        signed[i] = negative ? -frequency[i] : frequency[i];
        if (negative) parity = -parity;
      }
      addMode(table, signed, 0, d, 1, parity * re, parity * im);
    }
  }
  return SparseFourier.fromData({ dimension: d, period: 2, constant: 0, ...table.modes() });
}

/**
 * A constant on the cube [0, 1]^d as a sum of sines: it jumps at the faces, so that its series never ends.
 *
 * @param highest frequencies up to this, per axis
 * @returns the series that was cut, and the L2 norm of what is missing
 */
export function constantOnCube(
  dimension: number,
  value: number,
  highest: number,
): { u: SparseFourier; missingL2: number } {
  const owner = "constantOnCube";
  requireInteger(owner, "dimension", dimension, 1, 20);
  requireNumber(owner, "value", value);
  requireInteger(owner, "highest", highest, 1);
  const odd = Array.from({ length: Math.ceil(highest / 2) }, (_, j) => 2 * j + 1);
  const count = odd.length ** dimension;
  if (count * 2 ** dimension > 200_000) {
    throw new ValueError(`${owner}: ${odd.length}^${dimension} sines are too many; lower highest`);
  }
  const terms = Array.from({ length: count }, (_, number): Sine => {
    const k = Array.from({ length: dimension }, (_, i) => odd[Math.floor(number / odd.length ** i) % odd.length]);
    return { k, b: k.reduce((b, each) => (b * 4) / (Math.PI * each), value) };
  });
  const kept = odd.reduce((sum, k) => sum + 8 / (Math.PI * k) ** 2, 0);
  return { u: sines(terms, { dimension }), missingL2: Math.abs(value) * Math.sqrt(Math.max(0, 1 - kept ** dimension)) };
}

/** Whether a function is odd in every coordinate, up to `tolerance` of its size. */
export function isOdd(u: SparseFourier, tolerance = 1e-12): boolean {
  requireObject("isOdd", "u", u, "a SparseFourier");
  requireNonNegative("isOdd", "tolerance", tolerance);
  const { dimension: d, period, constant, k, re, im } = u.toData();
  const limit = tolerance * Math.max(1, u.wiener());
  if (Math.abs(constant) > limit) return false;
  for (let axis = 0; axis < d; axis++) {
    const table = new ModeTable(d);
    const mirrored = k.slice();
    for (let at = axis; at < k.length; at += d) mirrored[at] = -mirrored[at];
    for (let j = 0; j < re.length; j++) {
      addMode(table, mirrored, j * d, d, signOf(mirrored, j * d, mirrored, j * d, 0, d), re[j], im[j]);
    }
    // u(.., -x, ..) + u must vanish.
    if (
      SparseFourier.fromData({ dimension: d, period, constant: 0, ...table.modes() })
        .add(u)
        .wiener() > limit
    )
      return false;
  }
  return true;
}
