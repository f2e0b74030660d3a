/*
 * Relaxation over a square sparse matrix in compressed rows, all in float64. `at[i]` is the position of the diagonal
 * entry of row i: left of it stands L, right of it U. The diagonal D is read from `d`, so that a shift of the matrix
 * costs nothing. `w` holds omega / d. `u`, `v`, `w` are work of n elements.
 */

// @ts-ignore: decorator
@inline
function index(p: usize, i: i32): i32 {
  return load<i32>(p + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function value(p: usize, i: i32): f64 {
  return load<f64>(p + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline
function put(p: usize, i: i32, x: f64): void {
  store<f64>(p + (<usize>i << 3), x);
}

/** `sum` less the entries from position `start` to `end` times x. */
// @ts-ignore: decorator
@inline
export function less(sum: f64, start: i32, end: i32, indices: usize, values: usize, x: usize): f64 {
  for (let p = start; p < end; p++) sum -= value(values, p) * value(x, index(indices, p));
  return sum;
}

/** r = b - A x; returns its norm. */
export function residualOf(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  d: usize,
  b: usize,
  x: usize,
  r: usize,
): f64 {
  let squares: f64 = 0;
  let start = load<i32>(indptr);
  for (let i = 0; i < n; i++) {
    const middle = index(at, i);
    const end = index(indptr, i + 1);
    const left = less(value(b, i) - value(d, i) * value(x, i), start, middle, indices, values, x);
    const sum = less(left, middle + 1, end, indices, values, x);
    put(r, i, sum);
    squares += sum * sum;
    start = end;
  }
  return sqrt(squares);
}

/** u = (D / omega + L)^-1 r; `u` may be `r`. */
export function forward(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  w: usize,
  r: usize,
  u: usize,
): void {
  for (let i = 0; i < n; i++) {
    put(u, i, value(w, i) * less(value(r, i), index(indptr, i), index(at, i), indices, values, u));
  }
}

/** u = (D / omega + U)^-1 r; `u` may be `r`. */
export function backward(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  w: usize,
  r: usize,
  u: usize,
): void {
  for (let i = n - 1; i >= 0; i--) {
    put(u, i, value(w, i) * less(value(r, i), index(at, i) + 1, index(indptr, i + 1), indices, values, u));
  }
}

/** w = omega / d */
export function divideInto(n: i32, omega: f64, d: usize, w: usize): void {
  for (let i = 0; i < n; i++) put(w, i, omega / value(d, i));
}

/** SOR: one pass over A. Returns the norm of the residual before it; `x` becomes the iterate of that residual. */
function sorSweep(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  d: usize,
  w: usize,
  back: f64,
  x: usize,
  u: usize,
): f64 {
  let squares: f64 = 0;
  let start = load<i32>(indptr);
  for (let i = 0; i < n; i++) {
    const middle = index(at, i);
    const end = index(indptr, i + 1);
    const change = value(u, i);
    put(x, i, value(x, i) + change);
    const residual = less(back * value(d, i) * change, middle + 1, end, indices, values, u);
    squares += residual * residual;
    put(u, i, value(w, i) * less(residual, start, middle, indices, values, u));
    start = end;
  }
  return sqrt(squares);
}

/**
 * Symmetric SOR: the backward sweep completes `x` by f + g, the changes of both sweeps; the forward one gives the
 * residual, whose norm is returned, and the next f. `u` holds f, and f + g from row i on; `v` receives g.
 */
function ssorSweeps(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  d: usize,
  w: usize,
  back: f64,
  x: usize,
  u: usize,
  v: usize,
): f64 {
  let end = index(indptr, n);
  for (let i = n - 1; i >= 0; i--) {
    const f = value(u, i);
    const g = value(w, i) * less(back * value(d, i) * f, index(at, i) + 1, end, indices, values, u);
    put(v, i, g);
    put(u, i, f + g);
    put(x, i, value(x, i) + f + g);
    end = index(indptr, i);
  }
  let squares: f64 = 0;
  for (let i = 0; i < n; i++) {
    let residual = back * value(d, i) * value(v, i);
    let rest: f64 = 0;
    const middle = index(at, i);
    for (let p = index(indptr, i); p < middle; p++) {
      const a = value(values, p);
      const j = index(indices, p);
      residual -= a * value(v, j);
      rest -= a * value(u, j);
    }
    squares += residual * residual;
    put(u, i, value(w, i) * (residual + rest));
  }
  return sqrt(squares);
}

/**
 * Moves `x` on by at most `limit` sweeps of SOR, or of symmetric SOR where `v` is not 0, until the norm of the residual
 * is below max(relative * first norm, absolute) or not finite; norms[0 .. k] receives the norms. Returns k.
 *
 * With u the change of x in a sweep, (D / omega + L) u = r, the residual after it is r - A u = D (1 / omega - 1) u - U u:
 * a pass over A gives it while it makes the next u, so that the test of convergence costs no product of its own. An end
 * that this recurrence reports must be confirmed by the residual itself.
 */
export function relax(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  d: usize,
  b: usize,
  x: usize,
  u: usize,
  v: usize,
  w: usize,
  omega: f64,
  relative: f64,
  absolute: f64,
  limit: i32,
  norms: usize,
): i32 {
  let norm = residualOf(n, indptr, at, indices, values, d, b, x, u);
  store<f64>(norms, norm);
  const target = max(relative * norm, absolute);
  if (!(norm < Infinity) || norm < target || norm == 0) return 0;
  divideInto(n, omega, d, w);
  forward(n, indptr, at, indices, values, w, u, u);
  const back = 1 / omega - 1;
  let k = 0;
  do {
    k++;
    if (v == 0) norm = sorSweep(n, indptr, at, indices, values, d, w, back, x, u);
    else norm = ssorSweeps(n, indptr, at, indices, values, d, w, back, x, u, v);
    if (norm < target) {
      norm = residualOf(n, indptr, at, indices, values, d, b, x, u);
      if (norm >= target) forward(n, indptr, at, indices, values, w, u, u);
    }
    put(norms, k, norm);
  } while (norm >= target && norm < Infinity && k < limit);
  return k;
}
