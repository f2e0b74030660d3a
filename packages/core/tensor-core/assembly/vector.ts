/* float64 vectors in memory: `n` elements from `x` and `y` on, 8 bytes each. */

/** Sum of x[i] y[i], in four pairs of running sums. */
export function dot(n: i32, x: usize, y: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let i = 0;
  for (; i <= n - 8; i += 8) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(x), v128.load(y)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    s2 = f64x2.add(s2, f64x2.mul(v128.load(x, 32), v128.load(y, 32)));
    s3 = f64x2.add(s3, f64x2.mul(v128.load(x, 48), v128.load(y, 48)));
    x += 64;
    y += 64;
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < n; i++) {
    sum += load<f64>(x) * load<f64>(y);
    x += 8;
    y += 8;
  }
  return sum;
}

/** y += alpha x */
export function axpy(n: i32, alpha: f64, x: usize, y: usize): void {
  const a = f64x2.splat(alpha);
  let i = 0;
  for (; i <= n - 4; i += 4) {
    v128.store(y, f64x2.add(v128.load(y), f64x2.mul(a, v128.load(x))));
    v128.store(y, f64x2.add(v128.load(y, 16), f64x2.mul(a, v128.load(x, 16))), 16);
    x += 32;
    y += 32;
  }
  for (; i < n; i++) {
    store<f64>(y, load<f64>(y) + alpha * load<f64>(x));
    x += 8;
    y += 8;
  }
}

/** x *= alpha */
export function scale(n: i32, alpha: f64, x: usize): void {
  const a = f64x2.splat(alpha);
  let i = 0;
  for (; i <= n - 2; i += 2) {
    v128.store(x, f64x2.mul(v128.load(x), a));
    x += 16;
  }
  if (i < n) store<f64>(x, load<f64>(x) * alpha);
}

/** (x, y) = (c x - s y, s x + c y) */
export function rotate(n: i32, x: usize, y: usize, c: f64, s: f64): void {
  const cc = f64x2.splat(c), ss = f64x2.splat(s);
  let i = 0;
  for (; i <= n - 2; i += 2) {
    const a = v128.load(x), b = v128.load(y);
    v128.store(x, f64x2.sub(f64x2.mul(cc, a), f64x2.mul(ss, b)));
    v128.store(y, f64x2.add(f64x2.mul(ss, a), f64x2.mul(cc, b)));
    x += 16;
    y += 16;
  }
  if (i < n) {
    const a = load<f64>(x), b = load<f64>(y);
    store<f64>(x, c * a - s * b);
    store<f64>(y, s * a + c * b);
  }
}

/** Exchanges x and y. */
export function swap(n: i32, x: usize, y: usize): void {
  for (let i = 0; i < n; i++) {
    const a = load<f64>(x);
    store<f64>(x, load<f64>(y));
    store<f64>(y, a);
    x += 8;
    y += 8;
  }
}

/** Address of element [i, j] of a row-major matrix with rows of `stride` elements. */
// @ts-ignore: decorator
@inline
export function at(a: usize, stride: i32, i: i32, j: i32): usize {
  return a + ((<usize>i * <usize>stride + <usize>j) << 3);
}

/** Sums of squares below this have lost digits to underflow; beside a matrix of norm about 1 the vector is zero. */
export const VANISHING: f64 = 1e-280;

/**
 * Turns x[n] into the reflector H = I - tau v v^T, v[0] = 1, with H x = beta e_0: v[1:] replaces x[1:], beta replaces
 * x[0]. Returns tau; 0 where x is a multiple of e_0 up to VANISHING. The sign of beta is opposite to that of x[0], so that
 * nothing cancels (G. Golub and C. Van Loan, Matrix Computations, 4th ed., 5.1.3).
 */
export function reflector(n: i32, x: usize): f64 {
  const rest = n > 1 ? dot(n - 1, x + 8, x + 8) : 0;
  if (rest < VANISHING) return 0;
  const head = load<f64>(x);
  const norm = sqrt(head * head + rest);
  const beta = head > 0 ? -norm : norm;
  scale(n - 1, 1 / (head - beta), x + 8);
  store<f64>(x, beta);
  return (beta - head) / beta;
}
