import { at, axpy, dot, scale, VANISHING } from "./vector";

/**
 * Reduces the symmetric row-major A[n, n] (lower triangle read) to tridiagonal form by Householder reflections from
 * the last row up: d[n] receives the diagonal, e[i] the entry between i and i + 1. Row k keeps its reflector in its
 * first k entries, `taus`[k] its factor.
 */
function tridiagonalise(n: i32, a: usize, d: usize, e: usize, taus: usize, w: usize): void {
  for (let k = n - 1; k > 0; k--) {
    const v = at(a, n, k, 0);
    const last = at(v, 1, k - 1, 0);
    const rest = dot(k - 1, v, v);
    const head = load<f64>(last);
    let tau: f64 = 0;
    let beta = head;
    if (rest > VANISHING) {
      const norm = sqrt(head * head + rest);
      beta = head > 0 ? -norm : norm;
      tau = (beta - head) / beta;
      scale(k - 1, 1 / (head - beta), v);
    }
    store<f64>(last, 1);
    store<f64>(at(e, 1, k - 1, 0), beta);
    store<f64>(at(taus, 1, k, 0), tau);
    store<f64>(at(d, 1, k, 0), load<f64>(at(a, n, k, k)));
    if (tau == 0) continue;
    // w = tau A v, from the lower triangle alone.
    memory.fill(w, 0, (<usize>k) << 3);
    for (let i = 0; i < k; i++) {
      const row = at(a, n, i, 0);
      const vi = load<f64>(at(v, 1, i, 0));
      const below = dot(i + 1, row, v);
      axpy(i, vi, row, w);
      const wi = at(w, 1, i, 0);
      store<f64>(wi, load<f64>(wi) + below);
    }
    scale(k, tau, w);
    axpy(k, -0.5 * tau * dot(k, w, v), v, w);
    for (let i = 0; i < k; i++) {
      const row = at(a, n, i, 0);
      axpy(i + 1, -load<f64>(at(v, 1, i, 0)), w, row);
      axpy(i + 1, -load<f64>(at(w, 1, i, 0)), v, row);
    }
  }
  store<f64>(d, load<f64>(a));
}

/** z[n, n] = transpose of the product of the reflections. */
function accumulate(n: i32, a: usize, taus: usize, z: usize, w: usize): void {
  memory.fill(z, 0, (<usize>(n * n)) << 3);
  for (let k = 0; k < n; k++) {
    store<f64>(at(z, n, k, k), 1);
    const tau = k > 0 ? load<f64>(at(taus, 1, k, 0)) : 0;
    if (tau == 0) continue;
    const v = at(a, n, k, 0);
    for (let i = 0; i < k; i++) {
      const row = at(z, n, i, 0);
      axpy(k, -tau * dot(k, row, v), v, row);
    }
  }
}

/**
 * Applies the rotations of one QL sweep to rows `high` down to `low` of z[n, n]: rotation i mixes rows i and i + 1.
 * Eight columns at a time, so that each row is read and written once per rotation.
 */
function rotateRows(n: i32, z: usize, low: i32, high: i32, c: usize, s: usize): void {
  let j = 0;
  const rowBytes = (<usize>n) << 3;
  for (; j <= n - 8; j += 8) {
    let row = at(z, n, high, j);
    let u0 = v128.load(row),
      u1 = v128.load(row, 16),
      u2 = v128.load(row, 32),
      u3 = v128.load(row, 48);
    for (let i = high - 1; i >= low; i--) {
      const ci = v128.load64_splat(at(c, 1, i, 0)),
        si = v128.load64_splat(at(s, 1, i, 0));
      const next = row - rowBytes;
      const l0 = v128.load(next),
        l1 = v128.load(next, 16),
        l2 = v128.load(next, 32),
        l3 = v128.load(next, 48);
      v128.store(row, f64x2.add(f64x2.mul(si, l0), f64x2.mul(ci, u0)));
      v128.store(row, f64x2.add(f64x2.mul(si, l1), f64x2.mul(ci, u1)), 16);
      v128.store(row, f64x2.add(f64x2.mul(si, l2), f64x2.mul(ci, u2)), 32);
      v128.store(row, f64x2.add(f64x2.mul(si, l3), f64x2.mul(ci, u3)), 48);
      u0 = f64x2.sub(f64x2.mul(ci, l0), f64x2.mul(si, u0));
      u1 = f64x2.sub(f64x2.mul(ci, l1), f64x2.mul(si, u1));
      u2 = f64x2.sub(f64x2.mul(ci, l2), f64x2.mul(si, u2));
      u3 = f64x2.sub(f64x2.mul(ci, l3), f64x2.mul(si, u3));
      row = next;
    }
    v128.store(row, u0);
    v128.store(row, u1, 16);
    v128.store(row, u2, 32);
    v128.store(row, u3, 48);
  }
  for (; j < n; j++) {
    let row = at(z, n, high, j);
    let upper = load<f64>(row);
    for (let i = high - 1; i >= low; i--) {
      const ci = load<f64>(at(c, 1, i, 0)),
        si = load<f64>(at(s, 1, i, 0));
      const next = row - rowBytes;
      const lower = load<f64>(next);
      store<f64>(row, si * lower + ci * upper);
      upper = ci * lower - si * upper;
      row = next;
    }
    store<f64>(row, upper);
  }
}

/** Off-diagonal entries this far below the largest entry are zero: smaller ones would vanish when squared. */
const NEGLIGIBLE: f64 = 1e-32;

/**
 * Eigenvalues of the tridiagonal (d, e) in place of d and, where z is not 0, its eigenvectors' rotations applied to
 * the rows of z: implicit QL with Wilkinson's shift (B. Parlett, The Symmetric Eigenvalue Problem, 8.13). Returns 0, or
 * 1 where 60 sweeps did not isolate an eigenvalue.
 */
function implicitQl(n: i32, d: usize, e: usize, z: usize, c: usize, s: usize): i32 {
  store<f64>(at(e, 1, n - 1, 0), 0);
  let norm: f64 = 0;
  for (let i = 0; i < n; i++) norm = max(norm, max(abs(load<f64>(at(d, 1, i, 0))), abs(load<f64>(at(e, 1, i, 0)))));
  const negligible = norm * NEGLIGIBLE;
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; ; sweep++) {
      let m = l;
      for (; m < n - 1; m++) {
        const around = abs(load<f64>(at(d, 1, m, 0))) + abs(load<f64>(at(d, 1, m + 1, 0)));
        if (abs(load<f64>(at(e, 1, m, 0))) <= max(f64.EPSILON * 0.5 * around, negligible)) break;
      }
      if (m == l) break;
      if (sweep == 60) return 1;
      const dl = load<f64>(at(d, 1, l, 0));
      const el = load<f64>(at(e, 1, l, 0));
      let g = (load<f64>(at(d, 1, l + 1, 0)) - dl) / (2 * el);
      let r = sqrt(g * g + 1);
      if (abs(g) > 1e150) r = abs(g);
      g = load<f64>(at(d, 1, m, 0)) - dl + el / (g + (g >= 0 ? r : -r));
      let sine: f64 = 1,
        cosine: f64 = 1,
        p: f64 = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const ei = load<f64>(at(e, 1, i, 0));
        const f = sine * ei;
        const b = cosine * ei;
        r = sqrt(f * f + g * g);
        store<f64>(at(e, 1, i + 1, 0), r);
        if (r == 0) break;
        sine = f / r;
        cosine = g / r;
        const upper = at(d, 1, i + 1, 0);
        g = load<f64>(upper) - p;
        r = (load<f64>(at(d, 1, i, 0)) - g) * sine + 2 * cosine * b;
        p = sine * r;
        store<f64>(upper, g + p);
        g = cosine * r - b;
        store<f64>(at(c, 1, i, 0), cosine);
        store<f64>(at(s, 1, i, 0), sine);
      }
      if (z != 0) rotateRows(n, z, i + 1, m, c, s);
      if (r == 0 && i >= l) {
        const split = at(d, 1, i + 1, 0);
        store<f64>(split, load<f64>(split) - p);
        store<f64>(at(e, 1, m, 0), 0);
        continue;
      }
      const lowest = at(d, 1, l, 0);
      store<f64>(lowest, load<f64>(lowest) - p);
      store<f64>(at(e, 1, l, 0), g);
      store<f64>(at(e, 1, m, 0), 0);
    }
  }
  return 0;
}

/**
 * Eigenvalues d[n], unordered, and eigenvectors, the rows of z[n, n], of the symmetric A[n, n], which is overwritten.
 * With z = 0 only the values. `work` has room for 5 n elements. Returns 0, or 1 where the iteration did not converge.
 */
export function eigh(n: i32, a: usize, d: usize, z: usize, work: usize): i32 {
  const e = work,
    taus = at(work, 1, n, 0),
    w = at(work, 1, 2 * n, 0);
  const c = at(work, 1, 3 * n, 0),
    s = at(work, 1, 4 * n, 0);
  tridiagonalise(n, a, d, e, taus, w);
  if (z != 0) accumulate(n, a, taus, z, w);
  return implicitQl(n, d, e, z, c, s);
}
