/** Sum of `coefficients[k] T_k(t)` by Clenshaw's recurrence, for `t` in [-1, 1]. */
export function evaluateChebyshev(coefficients: readonly number[], t: number): number {
  const twice = 2 * t;
  let current = 0;
  let previous = 0;
  for (let k = coefficients.length - 1; k > 0; k--) {
    const next = twice * current - previous + coefficients[k];
    previous = current;
    current = next;
  }
  return t * current - previous + coefficients[0];
}

/** Sum of `coefficients[k] x^k` by Horner's rule. */
export function evaluatePolynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let k = coefficients.length - 1; k >= 0; k--) sum = sum * x + coefficients[k];
  return sum;
}
