import { checkOptions, type TensorLike, ValueError } from "@offprint/tensor-core";
import { type Design, designOf } from "./design.js";
import { cellCount, PatternSet, type Patterns, patternOf } from "./patterns.js";
import { planePatterns } from "./plane-patterns.js";
import { radiiOf } from "./sample-patterns.js";

/** Rows of smaller length, relative to the longest, count as zero in a restricted arrangement. */
const PARALLEL = 1e-10;
/** Arcs between directions that differ by rounding only are none. */
const THINNEST = 1e-12;
/** Entries of all patterns together that are still enumerated. */
const MOST_ENTRIES = 2e7;

/** Options of `enumeratePatterns`. */
export interface EnumeratePatternsOptions {
  /** Whether a column of ones is appended to X first. Default true. */
  bias?: boolean;
  /** Keeps only patterns that the robust programme with these radii can use. */
  usable?: { eps: TensorLike };
}

/**
 * All activation patterns of the data: the cells of the arrangement of the hyperplanes `x_k^T a = 0`. Exact also where
 * samples repeat or are not in general position. The work grows like `n^d`.
 * @param X `[samples, features]`.
 * @throws ValueError where there are too many, naming how many.
 */
export function enumeratePatterns(X: TensorLike, options: EnumeratePatternsOptions = {}): Patterns {
  checkOptions("enumeratePatterns", options, ["bias", "usable"]);
  const { bias = true, usable } = options;
  checkOptions("enumeratePatterns: usable", usable, ["eps"], usable === undefined ? [] : ["eps"]);
  const design = designOf("enumeratePatterns", X, bias);
  const eps = usable && radiiOf("enumeratePatterns", usable.eps, design.d - (bias ? 1 : 0), design.d);
  return arrangementPatterns(design, eps);
}

/** @internal Number of vectors that an enumeration looks at, times the length of a pattern. */
export function enumerationWork(n: number, d: number): number {
  return cellCount(n, d) * n * d;
}

/** @internal */
export function arrangementPatterns(design: Design, eps?: Float64Array): Patterns {
  const { n, d } = design;
  const total = n * (eps === undefined ? 1 : cornerCount(eps));
  if (enumerationWork(total, d) > MOST_ENTRIES) {
    throw new ValueError(
      `enumeratePatterns: ${total} hyperplanes in ${d} dimensions have up to ${cellCount(total, d)} patterns; ` +
        "use samplePatterns",
    );
  }
  const { rows, units } = levelled(design);
  const corners = eps === undefined ? [new Float64Array(d)] : boxCorners(eps.map((radius, c) => radius / units[c]));
  // A pattern is usable where all corners of every box are on one side: a cell of the arrangement of the corners.
  const expanded = new Float64Array(total * d);
  for (let k = 0, p = 0; k < n; k++) {
    for (const corner of corners) for (let c = 0; c < d; c++, p++) expanded[p] = rows[k * d + c] + corner[c];
  }
  const found = new PatternSet();
  const all = new Uint8Array(total);
  const pattern = new Uint8Array(n);
  for (const witness of d === 2 ? planePatterns(expanded, total) : cellWitnesses(expanded, total, d)) {
    if (witness instanceof Uint8Array) all.set(witness);
    else patternOf(expanded, total, d, witness, 0, all);
    let whole = true;
    for (let k = 0; k < n && whole; k++) {
      pattern[k] = all[k * corners.length];
      for (let r = 1; r < corners.length; r++) whole &&= all[k * corners.length + r] === pattern[k];
    }
    if (whole) found.add(pattern);
  }
  return { D: found.D, draws: 0, exhausted: false, complete: true };
}

/** How far a column may be from the others in size, or from 0 beside its spread, before that is taken off it. */
const UNEVEN = 1e3;

/**
 * @internal Rows with the same patterns, as those are of any basis: columns in powers of 2 as units, and without what they have in
 * common with a constant column. Else cells between samples near each other, such as those of times, would pass for rounding.
 */
export function levelled({ n, d, rows }: Design): { readonly rows: Float64Array; readonly units: Float64Array } {
  const own = rows.slice();
  const units = new Float64Array(d).fill(1);
  const ranges = Array.from({ length: d }, (_, c) => {
    let [low, high] = [Infinity, -Infinity];
    for (let k = 0; k < n; k++) {
      low = Math.min(low, rows[k * d + c]);
      high = Math.max(high, rows[k * d + c]);
    }
    return { low, high };
  });
  const constant = ranges.some(({ low, high }) => low === high && low !== 0);
  const largest = ranges.map(({ low, high }, c) => {
    const middle = low + (high - low) / 2;
    if (!constant || low === high || Math.abs(middle) < UNEVEN * (high - low)) return Math.max(-low, high);
    for (let k = 0; k < n; k++) own[k * d + c] -= middle;
    return Math.max(middle - low, high - middle);
  });
  const used = largest.filter((size) => size > 0);
  if (Math.max(...used) < UNEVEN * Math.min(...used)) return { rows: own, units };
  for (let c = 0; c < d; c++) {
    if (largest[c] > 0) units[c] = 2 ** Math.floor(Math.log2(largest[c]));
    for (let k = 0; k < n; k++) own[k * d + c] /= units[c];
  }
  return { rows: own, units };
}

/** How many corners a box has: more than can be listed where many features may be moved, so look here first. */
export function cornerCount(eps: Float64Array): number {
  return 2 ** eps.reduce((count, radius) => count + (radius > 0 ? 1 : 0), 0);
}

/** Every combination of signs of the radii that are not 0. */
export function boxCorners(eps: Float64Array): Float64Array[] {
  let corners = [new Float64Array(eps.length)];
  for (let c = 0; c < eps.length; c++) {
    if (eps[c] === 0) continue;
    corners = corners.flatMap((corner) =>
      [1, -1].map((sign) => {
        const next = corner.slice();
        next[c] = sign * eps[c];
        return next;
      }),
    );
  }
  return corners;
}

/**
 * A point inside every cell, cells possibly repeated. Each cell touches some hyperplane, and there it is a cell of the
 * arrangement that the others cut out of that hyperplane; so the cells in d dimensions are found beside those in d - 1.
 */
function cellWitnesses(rows: Float64Array, n: number, d: number): Float64Array[] {
  if (d === 1) return [Float64Array.of(1), Float64Array.of(-1)];
  if (d === 2) return arcWitnesses(rows, n);
  const witnesses: Float64Array[] = [];
  let scale = 0;
  for (let p = 0; p < n * d; p++) scale = Math.max(scale, Math.abs(rows[p]));
  for (let k = 0; k < n; k++) {
    const normal = rows.subarray(k * d, (k + 1) * d);
    const basis = complementBasis(normal, d, scale);
    if (basis === undefined) continue;
    const restricted = projectedRows(rows, n, d, basis, scale);
    for (const local of cellWitnesses(restricted, n, d - 1)) {
      const onPlane = new Float64Array(d);
      for (let i = 0; i < d - 1; i++) for (let c = 0; c < d; c++) onPlane[c] += local[i] * basis[i * d + c];
      witnesses.push(...besidePlane(rows, restricted, n, d, normal, onPlane));
    }
  }
  if (witnesses.length === 0) witnesses.push(new Float64Array(d).fill(1));
  return witnesses;
}

/** The middle of every arc between the directions where some `x_k^T a = 0`. */
function arcWitnesses(rows: Float64Array, n: number): Float64Array[] {
  const angles: number[] = [];
  let scale = 0;
  for (let p = 0; p < 2 * n; p++) scale = Math.max(scale, Math.abs(rows[p]));
  for (let k = 0; k < n; k++) {
    const [x, y] = [rows[2 * k], rows[2 * k + 1]];
    if (Math.hypot(x, y) <= PARALLEL * scale) continue;
    const angle = Math.atan2(x, -y);
    angles.push(angle, angle > 0 ? angle - Math.PI : angle + Math.PI);
  }
  if (angles.length === 0) return [Float64Array.of(1, 0)];
  angles.sort((a, b) => a - b);
  return angles.flatMap((from, i) => {
    const to = i + 1 < angles.length ? angles[i + 1] : angles[0] + 2 * Math.PI;
    const middle = (from + to) / 2;
    return to - from > THINNEST ? [Float64Array.of(Math.cos(middle), Math.sin(middle))] : [];
  });
}

/** An orthonormal basis `[d - 1, d]` of the vectors at right angles to `normal`, from a Householder reflection. */
function complementBasis(normal: Float64Array, d: number, scale: number): Float64Array | undefined {
  const length = Math.hypot(...normal);
  if (length <= PARALLEL * scale) return undefined;
  const u = Float64Array.from(normal, (value) => value / length);
  u[0] += u[0] >= 0 ? 1 : -1;
  const square = u.reduce((sum, value) => sum + value * value, 0);
  const basis = new Float64Array((d - 1) * d);
  for (let i = 1; i < d; i++) {
    for (let c = 0; c < d; c++) basis[(i - 1) * d + c] = (i === c ? 1 : 0) - (2 * u[i] * u[c]) / square;
  }
  return basis;
}

function projectedRows(rows: Float64Array, n: number, d: number, basis: Float64Array, scale: number): Float64Array {
  const out = new Float64Array(n * (d - 1));
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < d - 1; i++) {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += rows[k * d + c] * basis[i * d + c];
      out[k * (d - 1) + i] = Math.abs(sum) <= PARALLEL * scale ? 0 : sum;
    }
  }
  return out;
}

/** `point` moved off the plane to both sides, less far than to any other hyperplane. */
function besidePlane(
  rows: Float64Array,
  restricted: Float64Array,
  n: number,
  d: number,
  normal: Float64Array,
  point: Float64Array,
): Float64Array[] {
  let step = 1;
  for (let j = 0; j < n; j++) {
    let parallel = true;
    for (let i = 0; i < d - 1; i++) parallel &&= restricted[j * (d - 1) + i] === 0;
    if (parallel) continue;
    let value = 0;
    let slope = 0;
    for (let c = 0; c < d; c++) {
      value += rows[j * d + c] * point[c];
      slope += rows[j * d + c] * normal[c];
    }
    if (slope !== 0) step = Math.min(step, Math.abs(value / slope) / 2);
  }
  return [1, -1].map((side) => point.map((value, c) => value + side * step * normal[c]));
}
