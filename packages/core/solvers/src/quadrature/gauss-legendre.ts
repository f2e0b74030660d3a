import { requireInteger, ValueError } from "@offprint/tensor-core";

/** Nodes (ascending) and weights of a quadrature rule, `[n]` each. */
export interface QuadratureRule {
  /** Where the integrand is taken, `[n]`. */
  readonly nodes: Float64Array;
  /** What its values are multiplied by, `[n]`. */
  readonly weights: Float64Array;
}

/**
 * The `n`-point Gauss-Legendre rule on [`low`, `high`] (default [-1, 1]): exact for polynomials of degree `2n - 1`.
 *
 * Newton's method runs in the angle of `x = cos(theta)`, with differences of neighbouring polynomials in place of
 * their values, so that nothing cancels near the ends: weights are accurate to about 1e-14 relative. O(n^2).
 *
 * @throws ValueError unless `n` is a positive integer and the interval finite.
 */
export function gaussLegendre(n: number, low = -1, high = 1): QuadratureRule {
  requireInteger("gaussLegendre", "n", n, 1);
  if (!(Number.isFinite(low) && Number.isFinite(high))) {
    throw new ValueError(`gaussLegendre: the interval [${low}, ${high}] must be finite`);
  }
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  const half = (high - low) / 2;
  const middle = low + half;
  for (let k = 0; k < Math.ceil(n / 2); k++) {
    const { x, weight } = largestNode(n, k);
    nodes[n - 1 - k] = middle + half * x;
    nodes[k] = middle - half * x;
    weights[k] = half * weight;
    weights[n - 1 - k] = half * weight;
  }
  if (n % 2 === 1) nodes[(n - 1) / 2] = middle;
  return { nodes, weights };
}

/** Node `k` from the upper end, with its weight. */
function largestNode(n: number, k: number): { x: number; weight: number } {
  // Tricomi's asymptotic zero, then Newton: derivative of P_n(cos theta) with respect to theta.
  let theta = ((4 * k + 3) / (4 * n + 2)) * Math.PI;
  theta += 1 / (8 * n * n * Math.tan(theta));
  let slope = 1;
  for (let step = 0; step < 8; step++) {
    const { value, difference } = legendre(n, theta);
    // (1 - x^2) P_n' = n (P_{n-1} - x P_n), with P_{n-1} = P_n - difference.
    const sine = Math.sin(theta);
    const oneMinusX = 2 * Math.sin(theta / 2) ** 2;
    slope = (-n * (oneMinusX * value - difference)) / sine;
    const change = value / slope;
    theta -= change;
    if (Math.abs(change) < 1e-15 * theta) break;
    // At a root the second derivative is -cot(theta) times the slope: the weight follows the last step exactly.
    slope *= 1 + change / Math.tan(theta);
  }
  return { x: Math.cos(theta), weight: 2 / (slope * slope) };
}

/** `P_n(cos theta)` and `P_n - P_{n-1}`, for theta in (0, pi / 2]. */
function legendre(n: number, theta: number): { value: number; difference: number } {
  const oneMinusX = 2 * Math.sin(theta / 2) ** 2;
  let value = 1 - oneMinusX;
  let difference = -oneMinusX;
  for (let j = 1; j < n; j++) {
    difference = (j * difference - (2 * j + 1) * oneMinusX * value) / (j + 1);
    value += difference;
  }
  return { value, difference };
}
