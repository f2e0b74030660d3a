import { backward, divideInto, forward, less, residualOf } from "./relaxation";
import { dot } from "./vector";

/** q = A p; returns p^T A p. */
function product(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  d: usize,
  p: usize,
  q: usize,
): f64 {
  let curvature: f64 = 0;
  let start = load<i32>(indptr);
  for (let i = 0; i < n; i++) {
    const end = load<i32>(indptr + (<usize>(i + 1) << 2));
    const middle = load<i32>(at + (<usize>i << 2));
    const own = load<f64>(p + (<usize>i << 3));
    const left = less(-load<f64>(d + (<usize>i << 3)) * own, start, middle, indices, values, p);
    const sum = -less(left, middle + 1, end, indices, values, p);
    store<f64>(q + (<usize>i << 3), sum);
    curvature += own * sum;
    start = end;
  }
  return curvature;
}

/** x += step p, r -= step q; returns the squared norm of r. */
function advance(n: i32, step: f64, p: usize, q: usize, x: usize, r: usize): f64 {
  const steps = f64x2.splat(step);
  let squares = f64x2.splat(0);
  let i = 0;
  for (; i <= n - 2; i += 2) {
    v128.store(x, f64x2.add(v128.load(x), f64x2.mul(steps, v128.load(p))));
    const rest = f64x2.sub(v128.load(r), f64x2.mul(steps, v128.load(q)));
    v128.store(r, rest);
    squares = f64x2.add(squares, f64x2.mul(rest, rest));
    x += 16, r += 16, p += 16, q += 16;
  }
  let sum = f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
  if (i < n) {
    store<f64>(x, load<f64>(x) + step * load<f64>(p));
    const rest = load<f64>(r) - step * load<f64>(q);
    store<f64>(r, rest);
    sum += rest * rest;
  }
  return sum;
}

/** p = z + beta p */
function turn(n: i32, beta: f64, z: usize, p: usize): void {
  const betas = f64x2.splat(beta);
  let i = 0;
  for (; i <= n - 2; i += 2) {
    v128.store(p, f64x2.add(v128.load(z), f64x2.mul(betas, v128.load(p))));
    z += 16, p += 16;
  }
  if (i < n) store<f64>(p, load<f64>(z) + beta * load<f64>(p));
}

/** z = M^-1 r with M = E D^-1 E^T omega / (2 - omega), E = D / omega + L, or E and E^T exchanged. */
function precondition(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  d: usize,
  w: usize,
  omega: f64,
  upperFirst: i32,
  r: usize,
  z: usize,
): void {
  if (upperFirst) backward(n, indptr, at, indices, values, w, r, z);
  else forward(n, indptr, at, indices, values, w, r, z);
  const factor = 2 / omega - 1;
  for (let i: usize = 0; i < (<usize>n << 3); i += 8) store<f64>(z + i, load<f64>(z + i) * (factor * load<f64>(d + i)));
  if (upperFirst) forward(n, indptr, at, indices, values, w, z, z);
  else backward(n, indptr, at, indices, values, w, z, z);
}

/**
 * Conjugate gradients for a symmetric A, with the preconditioner of symmetric SOR unless `omega` is 0. At most `limit`
 * iterations, until the norm of the residual is at most `threshold` or not finite; norms[0 .. k] receives the norms.
 * Returns k; norms[0] is NaN where it goes on.
 *
 * `rho` points to r^T z, and goes on from x, r and p where it is not 0; it becomes -1 where a direction without positive
 * curvature shows that A is not positive definite. `z` and `w` are read and written only with a preconditioner, q always.
 */
export function sparseCg(
  n: i32,
  indptr: usize,
  at: usize,
  indices: usize,
  values: usize,
  d: usize,
  b: usize,
  x: usize,
  r: usize,
  p: usize,
  q: usize,
  z: usize,
  w: usize,
  omega: f64,
  upperFirst: i32,
  threshold: f64,
  limit: i32,
  norms: usize,
  rho: usize,
): i32 {
  if (omega == 0) z = r;
  else divideInto(n, omega, d, w);
  let inner = load<f64>(rho);
  store<f64>(norms, NaN);
  if (inner == 0) {
    const norm = residualOf(n, indptr, at, indices, values, d, b, x, r);
    store<f64>(norms, norm);
    if (norm <= threshold || !(norm < Infinity)) return 0;
    if (omega != 0) precondition(n, indptr, at, indices, values, d, w, omega, upperFirst, r, z);
    memory.copy(p, z, <usize>n << 3);
    inner = dot(n, r, z);
  }
  for (let k = 1; k <= limit; k++) {
    const curvature = product(n, indptr, at, indices, values, d, p, q);
    if (!(curvature > 0) || !(inner > 0)) {
      store<f64>(rho, -1);
      return k - 1;
    }
    const norm = sqrt(advance(n, inner / curvature, p, q, x, r));
    store<f64>(norms + (<usize>k << 3), norm);
    if (norm <= threshold || !(norm < Infinity)) return k;
    if (omega != 0) precondition(n, indptr, at, indices, values, d, w, omega, upperFirst, r, z);
    const next = omega != 0 ? dot(n, r, z) : norm * norm;
    turn(n, next / inner, z, p);
    inner = next;
    store<f64>(rho, next);
  }
  return limit;
}
