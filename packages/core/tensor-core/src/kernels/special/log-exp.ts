/** `log(1 - exp(-x))` for `x >= 0` without cancellation (Maechler 2012); `NaN` for negative `x`. */
export function log1mexp(x: number): number {
  return x <= Math.LN2 ? Math.log(-Math.expm1(-x)) : Math.log1p(-Math.exp(-x));
}

/** `log(1 + exp(x))` without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Logistic function `1 / (1 + exp(-x))`, relative accuracy in both tails. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** `log(sigmoid(x))` without underflow. */
export function logSigmoid(x: number): number {
  return -softplus(-x);
}

/** `log(p / (1 - p))`; infinite at 0 and 1, `NaN` outside [0, 1]. Accurate near 1/2 too. */
export function logit(p: number): number {
  if (p > 0.3 && p < 0.65) return Math.log1p((2 * p - 1) / (1 - p));
  return Math.log(p / (1 - p));
}

/** `x log(y)`, zero where `x` is zero (and `y` is not `NaN`). */
export function xlogy(x: number, y: number): number {
  return x === 0 && !Number.isNaN(y) ? 0 : x * Math.log(y);
}

/** `x log(1 + y)`, zero where `x` is zero (and `y` is not `NaN`). */
export function xlog1py(x: number, y: number): number {
  return x === 0 && !Number.isNaN(y) ? 0 : x * Math.log1p(y);
}

/** `log(exp(a) + exp(b))` without overflow. */
export function logaddexp(a: number, b: number): number {
  if (a === b) return a + Math.LN2;
  const difference = a - b;
  return difference > 0 ? a + Math.log1p(Math.exp(-difference)) : b + Math.log1p(Math.exp(difference));
}

/** `log(1 + u) - u` without cancellation, for `u > -1`. */
export function log1pmx(u: number): number {
  if (Math.abs(u) > 0.5) return Math.log1p(u) - u;
  // log(1 + u) = 2 atanh(r) with r = u / (2 + u), and 2r - u = -r u.
  const r = u / (2 + u);
  const square = r * r;
  let power = 1;
  let sum = 0;
  for (let k = 3; power > 1e-18; k += 2) {
    sum += power / k;
    power *= square;
  }
  return r * (2 * square * sum - u);
}
