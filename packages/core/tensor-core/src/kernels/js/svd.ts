import { rotate } from "./eigh.js";

/** Squared norms this far below the largest belong to rows that are zero: their products would vanish. */
const NEGLIGIBLE = 1e-120;

/** Cosines within this many tolerances are those of rounding, which further sweeps need not lower. */
const ROUNDING = 16;

/**
 * One-sided Jacobi: rotates pairs of rows of R[n, columns] until all are orthogonal to working accuracy, and applies
 * the same rotations to the rows of J[n, n]. Returns whether 60 sweeps were enough. See assembly/svd.ts.
 */
export function jsJacobiRows(n: number, columns: number, r: Float64Array, j: Float64Array | undefined): boolean {
  const tolerance = (Number.EPSILON / 2) * Math.sqrt(columns);
  let before = Number.POSITIVE_INFINITY;
  const norms = new Float64Array(n);
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let i = 0; i < n; i++) norms[i] = dot(r, i * columns, i * columns, columns);
    const largest = norms.reduce((most, norm) => Math.max(most, norm), 0);
    for (let i = 0; i < n; i++) {
      if (norms[i]! > largest * NEGLIGIBLE) continue;
      r.fill(0, i * columns, (i + 1) * columns);
      norms[i] = 0;
    }
    let steepest = 0;
    for (let a = 0; a < n - 1; a++) {
      for (let b = a + 1; b < n; b++) {
        const p = norms[a]!;
        const q = norms[b]!;
        const g = dot(r, a * columns, b * columns, columns);
        const size = Math.sqrt(p) * Math.sqrt(q);
        if (g === 0 || Math.abs(g) <= tolerance * size) continue;
        steepest = Math.max(steepest, Math.abs(g) / size);
        const zeta = (q - p) / (2 * g);
        const root = Math.abs(zeta) > 1e150 ? Math.abs(zeta) : Math.sqrt(1 + zeta * zeta);
        const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + root);
        const c = 1 / Math.sqrt(1 + t * t);
        rotate(r, a * columns, b * columns, columns, c, c * t);
        if (j) rotate(j, a * n, b * n, n, c, c * t);
        norms[a] = Math.max(p - t * g, 0);
        norms[b] = q + t * g;
      }
    }
    if (steepest === 0 || (steepest <= ROUNDING * tolerance && steepest >= before)) return true;
    before = steepest;
  }
  return false;
}

function dot(x: Float64Array, a: number, b: number, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += x[a + i]! * x[b + i]!;
  return sum;
}
