import type { Rng } from "@offprint/tensor-core";

/** A convex piecewise-linear function `max_i (a_i x + b_i)`, bounded below, with its minimum. */
export interface PiecewiseLinear {
  /** `[pieces][d]` */
  readonly a: readonly Float64Array[];
  /** `[pieces]` */
  readonly b: Float64Array;
  /** A minimiser, `[d]`. */
  readonly minimizer: Float64Array;
  /** The minimum. */
  readonly minimum: number;
}

function dot(a: Float64Array, x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * x[i];
  return sum;
}

/** The piece that is the maximum at `x`: its value, and a subgradient. */
export function pieceAt({ a, b }: Pick<PiecewiseLinear, "a" | "b">, x: Float64Array) {
  let [best, value] = [0, -Infinity];
  for (let i = 0; i < a.length; i++) {
    const candidate = dot(a[i], x) + b[i];
    if (candidate > value) [best, value] = [i, candidate];
  }
  return { value, subgradient: a[best] };
}

/** Solves a small square system by elimination with pivots; nothing where it is singular. */
function solveSmall(rows: readonly (readonly number[])[]): Float64Array | undefined {
  const n = rows.length;
  const m = rows.map((row) => Float64Array.from(row));
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(m[i][k]) > Math.abs(m[pivot][k])) pivot = i;
    if (Math.abs(m[pivot][k]) < 1e-12) return undefined;
    [m[k], m[pivot]] = [m[pivot], m[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const ratio = m[i][k] / m[k][k];
      for (let j = k; j <= n; j++) m[i][j] -= ratio * m[k][j];
    }
  }
  return Float64Array.from({ length: n }, (_, i) => m[i][n] / m[i][i]);
}

function* subsets(n: number, size: number, from = 0): Generator<number[]> {
  if (size === 0) return yield [];
  for (let i = from; i <= n - size; i++) for (const rest of subsets(n, size - 1, i + 1)) yield [i, ...rest];
}

/**
 * A random function of 1 to 3 variables. The minimum of the linear program `min v, a_i x + b_i <= v` is at a vertex, where
 * d + 1 pieces meet: all are tried.
 */
export function randomPiecewiseLinear(rng: Rng): PiecewiseLinear {
  const d = 1 + Math.floor(3 * rng.uniform([], { dtype: "float64" }).item());
  const pairs = d + Math.floor(3 * rng.uniform([], { dtype: "float64" }).item());
  const half = Array.from({ length: pairs }, () => rng.normal([d], { dtype: "float64" }).data() as Float64Array);
  const a = half.flatMap((row) => [row, row.map((v) => -v)]);
  const b = rng.normal([2 * pairs], { dtype: "float64" }).data() as Float64Array;
  let [minimum, minimizer] = [Infinity, new Float64Array(d)];
  for (const chosen of subsets(a.length, d + 1)) {
    const solution = solveSmall(chosen.map((i) => [...a[i], -1, -b[i]]));
    if (!solution) continue;
    const [x, v] = [solution.slice(0, d), solution[d]];
    if (v < minimum && pieceAt({ a, b }, x).value <= v + 1e-9 * (1 + Math.abs(v))) [minimum, minimizer] = [v, x];
  }
  return { a, b, minimizer, minimum };
}
