/**
 * Row-major float64 decompositions of one matrix. Functions that factor write over their argument and return the
 * index of the pivot that failed, or -1.
 */

/** Lower Cholesky factor over the lower triangle of `a`; the upper one becomes 0. */
export function choleskyInPlace(a: Float64Array, n: number): number {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i > j) a[i * n + j] = sum / a[j * n + j];
      else if (sum > 0) a[i * n + j] = Math.sqrt(sum);
      else return j;
    }
    a.fill(0, j * n + j + 1, (j + 1) * n);
  }
  return -1;
}

/** How a triangular matrix is read. */
export interface TriangularForm {
  readonly lower: boolean;
  readonly transposeA: boolean;
  readonly unitDiagonal: boolean;
}

/** Solves `op(a) x = b` with `b` of shape [n, k], which becomes x. */
export function triangularSolveInPlace(
  a: Float64Array,
  b: Float64Array,
  n: number,
  k: number,
  { lower, transposeA, unitDiagonal }: TriangularForm,
): number {
  const forward = lower !== transposeA;
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    const row = i * k;
    for (let p = forward ? 0 : i + 1; p < (forward ? i : n); p++) {
      const factor = transposeA ? a[p * n + i] : a[i * n + p];
      if (factor !== 0) for (let c = 0; c < k; c++) b[row + c] -= factor * b[p * k + c];
    }
    if (unitDiagonal) continue;
    const pivot = a[i * n + i];
    if (pivot === 0) return i;
    for (let c = 0; c < k; c++) b[row + c] /= pivot;
  }
  return -1;
}

/** LU factors with row exchanges: L below the diagonal (ones on it), U on and above; row i came from `order[i]`. */
export function luInPlace(a: Float64Array, n: number, order: Int32Array): { sign: number; failed: number } {
  let sign = 1;
  let failed = -1;
  for (let i = 0; i < n; i++) order[i] = i;
  for (let j = 0; j < n; j++) {
    let pivot = j;
    for (let i = j + 1; i < n; i++) if (Math.abs(a[i * n + j]) > Math.abs(a[pivot * n + j])) pivot = i;
    if (pivot !== j) {
      sign = -sign;
      [order[j], order[pivot]] = [order[pivot], order[j]];
      for (let c = 0; c < n; c++) [a[j * n + c], a[pivot * n + c]] = [a[pivot * n + c], a[j * n + c]];
    }
    if (a[j * n + j] === 0) {
      if (failed < 0) failed = j;
      continue;
    }
    for (let i = j + 1; i < n; i++) {
      const factor = (a[i * n + j] /= a[j * n + j]);
      if (factor !== 0) for (let c = j + 1; c < n; c++) a[i * n + c] -= factor * a[j * n + c];
    }
  }
  return { sign, failed };
}

/** Householder QR of `a` [m, n]: q [m, min(m, n)] with orthonormal columns and upper triangular r [min(m, n), n]. */
export function qrDecompose(a: Float64Array, m: number, n: number): { q: Float64Array; r: Float64Array } {
  const k = Math.min(m, n);
  const work = a.slice();
  const reflectors: Float64Array[] = [];
  const reflect = (target: Float64Array, columns: number, v: Float64Array, from: number) => {
    for (let c = 0; c < columns; c++) {
      let dot = 0;
      for (let i = from; i < m; i++) dot += v[i] * target[i * columns + c];
      for (let i = from; i < m; i++) target[i * columns + c] -= 2 * dot * v[i];
    }
  };
  for (let j = 0; j < k; j++) {
    const v = new Float64Array(m);
    let norm = 0;
    for (let i = j; i < m; i++) {
      v[i] = work[i * n + j];
      norm = Math.hypot(norm, v[i]);
    }
    v[j] += v[j] >= 0 ? norm : -norm;
    const length = Math.hypot(...v);
    if (length > 0) for (let i = j; i < m; i++) v[i] /= length;
    reflectors.push(v);
    reflect(work, n, v, j);
  }
  const q = new Float64Array(m * k);
  for (let j = 0; j < k; j++) q[j * k + j] = 1;
  for (let j = k - 1; j >= 0; j--) reflect(q, k, reflectors[j], j);
  const r = new Float64Array(k * n);
  for (let i = 0; i < k; i++) for (let c = i; c < n; c++) r[i * n + c] = work[i * n + c];
  return { q, r };
}

/** Eigenvalues (ascending) and eigenvectors (columns) of the symmetric `a`, by cyclic Jacobi rotations. */
export function eighDecompose(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const work = a.slice();
  const v = identity(n);
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    let total = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        total += work[i * n + j] ** 2;
        if (i !== j) off += work[i * n + j] ** 2;
      }
    if (off <= 1e-34 * total) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(work, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => work[i * n + i] - work[j * n + j]);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let i = 0; i < n; i++) vectors[i * n + to] = v[i * n + from];
  });
  return { values: Float64Array.from(order, (i) => work[i * n + i]), vectors };
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q];
  if (apq === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let i = 0; i < n; i++) mix(a, i * n + p, i * n + q, c, s);
  for (let i = 0; i < n; i++) mix(a, p * n + i, q * n + i, c, s);
  a[p * n + q] = a[q * n + p] = 0;
  for (let i = 0; i < n; i++) mix(v, i * n + p, i * n + q, c, s);
}

function mix(x: Float64Array, i: number, j: number, c: number, s: number): void {
  const a = x[i];
  const b = x[j];
  x[i] = c * a - s * b;
  x[j] = s * a + c * b;
}

function identity(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}

/** Reduced singular value decomposition of `a` [m, n], values descending, by one-sided Jacobi rotations. */
export function svdDecompose(
  a: Float64Array,
  m: number,
  n: number,
): { u: Float64Array; s: Float64Array; vt: Float64Array } {
  if (m < n) {
    const { u, s, vt } = svdDecompose(transposed(a, m, n), n, m);
    return { u: transposed(vt, m, m), s, vt: transposed(u, n, m) };
  }
  const work = a.slice();
  const v = identity(n);
  for (let sweep = 0, moved = true; moved && sweep < 60; sweep++) {
    moved = false;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) moved = orthogonalise(work, v, m, n, p, q) || moved;
  }
  const norms = Float64Array.from({ length: n }, (_, j) => {
    let norm = 0;
    for (let i = 0; i < m; i++) norm = Math.hypot(norm, work[i * n + j]);
    return norm;
  });
  const order = Array.from({ length: n }, (_, j) => j).sort((i, j) => norms[j] - norms[i]);
  const u = new Float64Array(m * n);
  const vt = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let i = 0; i < m; i++) u[i * n + to] = norms[from] > 0 ? work[i * n + from] / norms[from] : 0;
    for (let i = 0; i < n; i++) vt[to * n + i] = v[i * n + from];
  });
  completeColumns(u, m, n, norms[order[0]] * 1e-300);
  return { u, s: Float64Array.from(order, (j) => norms[j]), vt };
}

function orthogonalise(a: Float64Array, v: Float64Array, m: number, n: number, p: number, q: number): boolean {
  let alpha = 0;
  let beta = 0;
  let gamma = 0;
  for (let i = 0; i < m; i++) {
    alpha += a[i * n + p] ** 2;
    beta += a[i * n + q] ** 2;
    gamma += a[i * n + p] * a[i * n + q];
  }
  if (Math.abs(gamma) <= 1e-16 * Math.sqrt(alpha * beta)) return false;
  const zeta = (beta - alpha) / (2 * gamma);
  const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(zeta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let i = 0; i < m; i++) mix(a, i * n + p, i * n + q, c, s);
  for (let i = 0; i < n; i++) mix(v, i * n + p, i * n + q, c, s);
  return true;
}

/** Replaces zero columns of u by unit vectors orthogonal to the others. */
function completeColumns(u: Float64Array, m: number, n: number, _tiny: number): void {
  for (let j = 0; j < n; j++) {
    let norm = 0;
    for (let i = 0; i < m; i++) norm += u[i * n + j] ** 2;
    for (let axis = 0; norm < 0.5 && axis < m; axis++) {
      const column = new Float64Array(m);
      column[axis] = 1;
      for (let pass = 0; pass < 2; pass++) {
        for (let c = 0; c < n; c++) {
          if (c === j) continue;
          let dot = 0;
          for (let i = 0; i < m; i++) dot += u[i * n + c] * column[i];
          for (let i = 0; i < m; i++) column[i] -= dot * u[i * n + c];
        }
      }
      const length = Math.hypot(...column);
      if (length < 1e-3) continue;
      for (let i = 0; i < m; i++) u[i * n + j] = column[i] / length;
      norm = 1;
    }
  }
}

function transposed(a: Float64Array, m: number, n: number): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j];
  return out;
}
