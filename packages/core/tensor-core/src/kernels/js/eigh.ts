import { VANISHING } from "../scaling.js";

/**
 * Eigenvalues of the symmetric row-major A[n, n] (lower triangle read; overwritten) into `values`, unordered, and
 * eigenvectors into the rows of `vectors`. Returns whether the iteration converged.
 */
export function jsEigh(a: Float64Array, n: number, values: Float64Array, vectors: Float64Array | undefined): boolean {
  const e = new Float64Array(n);
  const taus = new Float64Array(n);
  tridiagonalise(a, n, values, e, taus);
  if (vectors) accumulate(a, n, taus, vectors);
  return implicitQl(n, values, e, vectors);
}

/** Householder reflections from the last row up; see assembly/eigh.ts, which does the same. */
function tridiagonalise(a: Float64Array, n: number, d: Float64Array, e: Float64Array, taus: Float64Array): void {
  const w = new Float64Array(n);
  for (let k = n - 1; k > 0; k--) {
    const v = a.subarray(k * n, k * n + k);
    d[k] = a[k * n + k]!;
    let rest = 0;
    for (let i = 0; i < k - 1; i++) rest += v[i]! * v[i]!;
    const head = v[k - 1]!;
    const norm = Math.sqrt(head * head + rest);
    const beta = rest < VANISHING ? head : head > 0 ? -norm : norm;
    e[k - 1] = beta;
    if (rest < VANISHING) continue;
    const tau = (beta - head) / beta;
    taus[k] = tau;
    for (let i = 0; i < k - 1; i++) v[i]! /= head - beta;
    v[k - 1] = 1;
    w.fill(0);
    for (let i = 0; i < k; i++) {
      const vi = v[i]!;
      let sum = a[i * n + i]! * vi;
      for (let j = 0; j < i; j++) {
        const aij = a[i * n + j]!;
        sum += aij * v[j]!;
        w[j]! += aij * vi;
      }
      w[i]! += sum;
    }
    let product = 0;
    for (let i = 0; i < k; i++) product += (w[i]! *= tau) * v[i]!;
    for (let i = 0; i < k; i++) w[i]! -= 0.5 * tau * product * v[i]!;
    for (let i = 0; i < k; i++) {
      for (let j = 0; j <= i; j++) a[i * n + j]! -= v[i]! * w[j]! + w[i]! * v[j]!;
    }
  }
  d[0] = a[0]!;
}

function accumulate(a: Float64Array, n: number, taus: Float64Array, z: Float64Array): void {
  for (let k = 0; k < n; k++) {
    z[k * n + k] = 1;
    if (taus[k] === 0) continue;
    for (let i = 0; i < k; i++) {
      let sum = 0;
      for (let j = 0; j < k; j++) sum += z[i * n + j]! * a[k * n + j]!;
      sum *= taus[k]!;
      for (let j = 0; j < k; j++) z[i * n + j]! -= sum * a[k * n + j]!;
    }
  }
}

/** Off-diagonal entries this far below the largest entry are zero: smaller ones would vanish when squared. */
const NEGLIGIBLE = 1e-32;

/** Implicit QL with Wilkinson's shift (B. Parlett, The Symmetric Eigenvalue Problem, 8.13). */
function implicitQl(n: number, d: Float64Array, e: Float64Array, z: Float64Array | undefined): boolean {
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]!), Math.abs(e[i]!));
  const isZero = (m: number): boolean => {
    const around = Math.abs(d[m]!) + Math.abs(d[m + 1]!);
    return Math.abs(e[m]!) <= Math.max((Number.EPSILON / 2) * around, norm * NEGLIGIBLE);
  };
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; ; sweep++) {
      let m = l;
      while (m < n - 1 && !isZero(m)) m++;
      if (m === l) break;
      if (sweep === 60) return false;
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.abs(g) > 1e150 ? Math.abs(g) : Math.sqrt(g * g + 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) break;
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        if (z) rotate(z, i * n, (i + 1) * n, n, c, s);
      }
      d[Math.max(i + 1, l)]! -= p;
      e[m] = 0;
      if (i < l) e[l] = g;
    }
  }
  return true;
}

/** (x, y) = (c x - s y, s x + c y) for the runs of n elements from x and y on. */
export function rotate(z: Float64Array, x: number, y: number, n: number, c: number, s: number): void {
  for (let j = 0; j < n; j++) {
    const a = z[x + j]!;
    const b = z[y + j]!;
    z[x + j] = c * a - s * b;
    z[y + j] = s * a + c * b;
  }
}
