import { ValueError } from "@offprint/tensor-core";
import { ModeBox } from "./mode-box.js";
import { hashOf, ModeTable, signOf } from "./mode-table.js";
import type { Modes, OrderedModes } from "./modes.js";
import { MOST_FREQUENCY } from "./require-frequency.js";
import { TooManyModesError } from "./too-many-modes-error.js";

/** Products with more modes are refused. */
const MOST_MODES = 200_000;

/** A function as a factor: its mean, and its other modes by size. */
export interface ProductFactor {
  readonly constant: number;
  readonly modes: OrderedModes;
}

/** `u v`. */
export interface ModeProduct {
  readonly constant: number;
  readonly modes: Modes;
  /** The Wiener norm of what was left out, at most. */
  readonly dropped: number;
}

/**
 * The product of two functions. Single terms below `tolerance` may be left out.
 *
 * @throws TooManyModesError
 */
export function productOf(u: ProductFactor, v: ProductFactor, dimension: number, tolerance: number): ModeProduct {
  const bounds = boundsOf(u.modes, dimension);
  for (const [i, bound] of boundsOf(v.modes, dimension).entries()) bounds[i] += bound;
  if (bounds.some((bound) => bound > MOST_FREQUENCY)) {
    throw new ValueError(
      `a product has a frequency of ${Math.max(...bounds)}; ${MOST_FREQUENCY} is the largest: lower those of f`,
    );
  }
  // A box pays where it has not many more places than there are terms, each of which a table must look for.
  const terms = 2 * u.modes.re.length * v.modes.re.length;
  const product =
    ModeBox.size(bounds) <= 4 * terms + 64 ? inBox(u, v, tolerance, bounds) : inTable(u, v, dimension, tolerance);
  if (2 * product.modes.re.length > MOST_MODES) throw new TooManyModesError(MOST_MODES);
  return product;
}

/** The largest entry along each axis. */
function boundsOf({ k }: Modes, dimension: number): Float64Array {
  const bounds = new Float64Array(dimension);
  for (let at = 0; at < k.length; at++) {
    const axis = at % dimension;
    bounds[axis] = Math.max(bounds[axis], Math.abs(k[at]));
  }
  return bounds;
}

/** What single terms leave out: two pairs of conjugate ones for each. */
const droppedTerms = (size: number, rest: number) => 4 * size * rest;

function inBox(u: ProductFactor, v: ProductFactor, tolerance: number, bounds: Float64Array): ModeProduct {
  const box = new ModeBox(bounds);
  const { re, im, centre } = box;
  const [left, right] = [u.modes, v.modes];
  const [from, to] = [box.places(left), box.places(right)];
  const alone = (modes: Modes, places: Int32Array, scale: number) => {
    for (let j = 0; j < places.length; j++) {
      re[centre + places[j]] += scale * modes.re[j];
      im[centre + places[j]] += scale * modes.im[j];
    }
  };
  alone(left, from, v.constant);
  alone(right, to, u.constant);
  let dropped = 0;
  const { re: c, im: d, size } = right;
  for (let i = 0; i < from.length; i++) {
    const [a, b, own] = [left.re[i], left.im[i], left.size[i]];
    const at = centre + from[i];
    let j = 0;
    for (; j < to.length && own * size[j] >= tolerance; j++) {
      const [plus, minus] = [at + to[j], at - to[j]];
      const [ac, bd, ad, bc] = [a * c[j], b * d[j], a * d[j], b * c[j]];
      // c_k d_l at k + l, and c_k conj(d_l) at k - l.
      re[plus] += ac - bd;
      im[plus] += ad + bc;
      re[minus] += ac + bd;
      im[minus] += bc - ad;
    }
    if (j < to.length) dropped += droppedTerms(own, right.rest[j]);
  }
  return { constant: u.constant * v.constant + 2 * re[centre], modes: box.modes(), dropped };
}

function inTable(u: ProductFactor, v: ProductFactor, dimension: number, tolerance: number): ModeProduct {
  const table = new ModeTable(dimension);
  const [left, right] = [u.modes, v.modes];
  const hashes = ({ k, re }: Modes) => Int32Array.from(re, (_, j) => hashOf(k, j * dimension, dimension));
  const [from, to] = [hashes(left), hashes(right)];
  const none = new Int32Array(dimension);
  const alone = ({ k, re, im }: Modes, hash: Int32Array, scale: number) => {
    if (scale === 0) return;
    for (let j = 0; j < re.length; j++) {
      table.add(hash[j], k, j * dimension, none, 0, 0, 1, scale * re[j], scale * im[j]);
    }
  };
  alone(left, from, v.constant);
  alone(right, to, u.constant);
  let constant = u.constant * v.constant;
  let dropped = 0;
  for (let i = 0; i < left.re.length; i++) {
    const [re, im, size] = [left.re[i], left.im[i], left.size[i]];
    for (let j = 0; j < right.re.length; j++) {
      if (size * right.size[j] < tolerance) {
        dropped += droppedTerms(size, right.rest[j]);
        break;
      }
      const [a, b] = [right.re[j], right.im[j]];
      const [own, other] = [i * dimension, j * dimension];
      // c_k d_l at k + l, which is positive as both are, and c_k conj(d_l) at k - l.
      table.add((from[i] + to[j]) | 0, left.k, own, right.k, other, 1, 1, re * a - im * b, re * b + im * a);
      const sign = signOf(left.k, own, right.k, other, -1, dimension);
      const [real, imaginary] = [re * a + im * b, im * a - re * b];
      if (sign === 0) constant += 2 * real;
      else table.add((from[i] - to[j]) | 0, left.k, own, right.k, other, -1, sign, real, imaginary);
    }
    if (2 * table.count > MOST_MODES) throw new TooManyModesError(MOST_MODES);
  }
  return { constant, modes: table.modes(), dropped };
}
