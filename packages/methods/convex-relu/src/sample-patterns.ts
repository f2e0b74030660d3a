import { makeBreather } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  random,
  requireInteger,
  requireObject,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type Design, designOf } from "./design.js";
import { cellCount, PatternSet, type Patterns, patternOf } from "./patterns.js";

/** Options of `samplePatterns`. */
export interface SamplePatternsOptions {
  /** P_s: how many distinct patterns are wanted, at least 1. */
  count: number;
  /** Source of the draws. Default 0. */
  seed?: number | string;
  /** Most vectors drawn. Default `max(10000, 100 count)`; with a count above what the data can have, 100 times that. */
  maxDraws?: number;
  /** Whether a column of ones is appended to X first. Default true. */
  bias?: boolean;
  /**
   * Also takes the patterns of the data moved by `eps o sign(Z)`, Z normal, as the paper's adversarial training does.
   * `perDirection` (S in the paper) counts the patterns of one draw, the clean one included.
   */
  perturb?: { eps: TensorLike; perDirection: number };
  /**
   * Keeps only patterns whose hyperplane misses every box |delta_c| <= eps_c around a sample: exactly those that the
   * robust programme can use.
   */
  usable?: { eps: TensorLike };
}

const BATCH = 256;

/**
 * Draws a ~ N(0, I) and keeps the distinct patterns 1[X a >= 0] until there are `count` of them or `maxDraws` vectors
 * were drawn; then `exhausted` is set.
 * @param X `[samples, features]`.
 * @throws ValueError for options out of range; ShapeError for X or eps of another shape.
 */
export function samplePatterns(X: TensorLike, options: SamplePatternsOptions): Patterns {
  checkOptions("samplePatterns", options, ["count", "seed", "maxDraws", "bias", "perturb", "usable"], ["count"]);
  const { bias = true } = options;
  const design = designOf("samplePatterns", X, bias);
  const features = design.d - (bias ? 1 : 0);
  const radii = (eps: TensorLike) => radiiOf("samplePatterns", eps, features, design.d);
  const { perturb, usable, ...draw } = options;
  checkOptions("samplePatterns: perturb", perturb, ["eps", "perDirection"], perturb === undefined ? [] : ["eps"]);
  checkOptions("samplePatterns: usable", usable, ["eps"], usable === undefined ? [] : ["eps"]);
  return drawPatterns(design, {
    ...draw,
    ...(perturb && { perturb: { ...perturb, eps: radii(perturb.eps) } }),
    ...(usable && { usable: { eps: radii(usable.eps) } }),
  });
}

/** @internal Options whose eps are `[d]` already. */
interface DrawOptions {
  readonly count: number;
  readonly seed?: number | string;
  readonly maxDraws?: number;
  readonly perturb?: { readonly eps: Float64Array; readonly perDirection: number };
  readonly usable?: { readonly eps: Float64Array };
}

/** @internal */
export function drawPatterns(design: Design, options: DrawOptions): Patterns {
  const drawing = draws(design, options);
  for (;;) {
    const { done, value } = drawing.next();
    if (done) return value;
  }
}

/**
 * @internal The same with turns for the event loop. When the signal comes, the first pattern stands for all: a programme
 * that is not to be solved need not be large.
 */
export async function drawPatternsPolitely(
  design: Design,
  options: DrawOptions,
  signal: AbortSignal | undefined,
): Promise<Patterns> {
  const drawing = draws(design, options);
  const breather = makeBreather(true);
  for (;;) {
    const { done, value } = drawing.next();
    if (done) return value;
    if (signal?.aborted) return { ...value, D: value.D.slice(0, 1) };
    if (breather.due()) await breather.pause();
  }
}

/** Tells after every batch what was found so far, and at the end all. */
function* draws(design: Design, options: DrawOptions): Generator<Patterns, Patterns, void> {
  const { n, d, rows } = design;
  const { count, seed = 0, perturb, usable } = options;
  requireInteger("samplePatterns", "count", count, 1);
  // Of data that is not moved there are no more patterns than these, however many are wanted.
  const most = perturb === undefined ? Math.min(count, cellCount(n, d)) : count;
  const { maxDraws = Math.max(10_000, 100 * most) } = options;
  requireInteger("samplePatterns", "maxDraws", maxDraws, 1);
  if (perturb !== undefined) requireInteger("samplePatterns", "perturb.perDirection", perturb.perDirection, 1);
  const [vectors, moves] = random.rng(seed).split(2);
  const found = new PatternSet();
  const pattern = new Uint8Array(n);
  const moved = new Float64Array(n * d);
  let drawn = 0;
  const soFar = (): Patterns => ({ D: found.D, draws: drawn, exhausted: found.D.length < count, complete: false });
  while (drawn < maxDraws && found.D.length < count) {
    const a = vectors.normal([Math.min(BATCH, maxDraws - drawn), d], { dtype: "float64" }).data() as Float64Array;
    for (let at = 0; at < a.length && found.D.length < count; at += d) {
      drawn++;
      if (usable !== undefined && !missesBoxes(design, a, at, usable.eps)) continue;
      patternOf(rows, n, d, a, at, pattern);
      found.add(pattern);
      if (perturb !== undefined) addPerturbed(found, design, a, at, perturb, moves, moved, pattern, count);
    }
    yield soFar();
  }
  return soFar();
}

/** |x_k^T a| >= ||eps o a||_1 for every sample. */
function missesBoxes({ n, d, rows }: Design, a: Float64Array, at: number, eps: Float64Array): boolean {
  let reach = 0;
  for (let c = 0; c < d; c++) reach += eps[c] * Math.abs(a[at + c]);
  for (let k = 0, p = 0; k < n; k++) {
    let sum = 0;
    for (let c = 0; c < d; c++, p++) sum += rows[p] * a[at + c];
    if (Math.abs(sum) < reach) return false;
  }
  return true;
}

function addPerturbed(
  found: PatternSet,
  { n, d, rows }: Design,
  a: Float64Array,
  at: number,
  { eps, perDirection }: { readonly eps: Float64Array; readonly perDirection: number },
  moves: random.Rng,
  moved: Float64Array,
  pattern: Uint8Array,
  count: number,
): void {
  for (let j = 2; j <= perDirection && found.D.length < count; j++) {
    const sign = moves.rademacher([n * d], { dtype: "float64" }).data();
    for (let p = 0; p < moved.length; p++) moved[p] = rows[p] + eps[p % d] * sign[p];
    patternOf(moved, n, d, a, at, pattern);
    found.add(pattern);
  }
}

/**
 * @internal Radii of the box around a sample, `[d]`: one for all features, or one for each; 0 for the column of ones.
 * @throws ValueError, ShapeError
 */
export function radiiOf(owner: string, eps: TensorLike, features: number, d: number): Float64Array {
  if (typeof eps !== "number") requireObject(owner, "eps", eps, "one radius, or one for each feature");
  const given = asTensor(eps, "float64");
  const values = given.data();
  if (given.rank > 1 || (given.rank === 1 && given.size !== features && given.size !== d)) {
    throw new ValueError(
      `${owner}: eps has shape [${given.shape}]; give one radius, or one for each of ${features} features`,
    );
  }
  const out = new Float64Array(d);
  for (let c = 0; c < d; c++) {
    const value = given.rank === 0 ? (c < features ? values[0] : 0) : c < values.length ? values[c] : 0;
    if (!(value >= 0 && value < Infinity)) {
      throw new ValueError(`${owner}: eps[${c}] is ${value}; radii must be finite and >= 0`);
    }
    out[c] = Number(value);
  }
  return out;
}
