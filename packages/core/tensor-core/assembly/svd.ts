import { at, dot, rotate } from "./vector";

/** Squared norms this far below the largest belong to rows that are zero: their products would vanish. */
const NEGLIGIBLE: f64 = 1e-120;

/** Cosines within this many tolerances are those of rounding, which further sweeps need not lower. */
const ROUNDING: f64 = 16;

/**
 * One-sided Jacobi: rotates pairs of rows of R[n, columns] until all are orthogonal to working accuracy, and applies
 * the same rotations to the rows of J[n, n] (the identity at the start, so that J R_before = R_after). `norms` has room
 * for n elements. Returns 0, or 1 where 60 sweeps were not enough.
 *
 * The pair with norms p, q and inner product g turns by the smaller angle that makes the product zero, t^2 + 2 zeta t
 * = 1 with zeta = (q - p) / 2 g (J. Demmel and K. Veselic, SIAM J. Matrix Anal. Appl. 13, 1992).
 */
export function jacobiRows(n: i32, columns: i32, r: usize, j: usize, norms: usize): i32 {
  const tolerance = f64.EPSILON * sqrt(<f64>columns) * 0.5;
  let before = f64.MAX_VALUE;
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let i = 0; i < n; i++) {
      const row = at(r, columns, i, 0);
      store<f64>(at(norms, 1, i, 0), dot(columns, row, row));
    }
    let largest: f64 = 0;
    for (let i = 0; i < n; i++) largest = max(largest, load<f64>(at(norms, 1, i, 0)));
    for (let i = 0; i < n; i++) {
      if (load<f64>(at(norms, 1, i, 0)) > largest * NEGLIGIBLE) continue;
      memory.fill(at(r, columns, i, 0), 0, (<usize>columns) << 3);
      store<f64>(at(norms, 1, i, 0), 0);
    }
    let steepest: f64 = 0;
    for (let a = 0; a < n - 1; a++) {
      const rowA = at(r, columns, a, 0);
      for (let b = a + 1; b < n; b++) {
        const rowB = at(r, columns, b, 0);
        const p = load<f64>(at(norms, 1, a, 0)),
          q = load<f64>(at(norms, 1, b, 0));
        const g = dot(columns, rowA, rowB);
        const size = sqrt(p) * sqrt(q);
        if (g == 0 || abs(g) <= tolerance * size) continue;
        steepest = max(steepest, abs(g) / size);
        const zeta = (q - p) / (2 * g);
        const t = abs(zeta) > 1e150 ? 0.5 / zeta : (zeta >= 0 ? 1.0 : -1.0) / (abs(zeta) + sqrt(1 + zeta * zeta));
        const c = 1 / sqrt(1 + t * t);
        const s = c * t;
        rotate(columns, rowA, rowB, c, s);
        if (j != 0) rotate(n, at(j, n, a, 0), at(j, n, b, 0), c, s);
        store<f64>(at(norms, 1, a, 0), max(p - t * g, 0));
        store<f64>(at(norms, 1, b, 0), q + t * g);
      }
    }
    if (steepest == 0 || (steepest <= ROUNDING * tolerance && steepest >= before)) return 0;
    before = steepest;
  }
  return 1;
}
