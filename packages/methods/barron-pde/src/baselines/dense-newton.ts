import {
  add,
  checkOptions,
  hostTensor,
  linalg,
  matmul,
  mul,
  NonFiniteError,
  requireInteger,
  requireNonNegative,
  requirePositive,
  square,
  sub,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { requireFunction } from "../require-function.js";
import type { SparseFourier } from "../sparse-fourier.js";

/** The equation and its grid. */
export interface DenseNewtonOptions {
  /** beta >= 0. Default 0. */
  readonly beta?: number;
  /** gamma >= 0. Default 0. */
  readonly gamma?: number;
  /** Points per axis, an odd integer >= 3. */
  readonly points: number;
  /** Newton steps at most. Default 50. */
  readonly maxIterations?: number;
  /** Ends when no value changes by more. Default 1e-12. */
  readonly tolerance?: number;
}

/**
 * What one would do in one or two dimensions: Newton's method on all points of a grid, with spectral derivatives as dense
 * matrices, for `u - Laplacian u + beta u^3 - gamma sum_i d_i (d_i u)^3 = f`. Its unknowns are `points^d`.
 *
 * @param f right-hand side in one or two coordinates
 * @returns values on the grid `[points, ...]`, as `fromSamples` reads them
 * @throws ValueError in more dimensions; NonFiniteError where Newton's method does not come to rest
 */
export function denseNewton(f: SparseFourier, options: DenseNewtonOptions): { u: Tensor; iterations: number } {
  const owner = "denseNewton";
  requireFunction(owner, "f", f);
  checkOptions(owner, options, ["beta", "gamma", "points", "maxIterations", "tolerance"]);
  const { beta = 0, gamma = 0, points: n, maxIterations = 50, tolerance = 1e-12 } = options;
  const { dimension: d, period } = f;
  if (d > 2) throw new ValueError(`${owner}: f has ${d} coordinates, ${n}^${d} unknowns; it is for one or two`);
  requireInteger(owner, "points", n, 3);
  if (n % 2 === 0) throw new ValueError(`${owner}: points is ${n}; give an odd number, whose derivatives are exact`);
  requireNonNegative(owner, "beta", beta);
  requireNonNegative(owner, "gamma", gamma);
  requireInteger(owner, "maxIterations", maxIterations, 1);
  requirePositive(owner, "tolerance", tolerance);
  const size = n ** d;
  const derivatives = derivativeMatrices(n, d, period);
  const identity = matrixOf(size, (i, j) => (i === j ? 1 : 0));
  const grid = new Float64Array(size * d);
  for (let i = 0; i < size; i++) {
    for (let axis = 0; axis < d; axis++) grid[i * d + axis] = ((Math.floor(i / n ** (d - 1 - axis)) % n) * period) / n;
  }
  const right = f.evaluate(hostTensor(grid, [size, d], "float64"));
  let u: Tensor = hostTensor(new Float64Array(size), [size], "float64");
  for (let iterations = 1; iterations <= maxIterations; iterations++) {
    // -d (a d) = d^T a d, as d is antisymmetric.
    let residual = sub(add(u, mul(beta, mul(u, square(u)))), right);
    let system = add(identity, mul(identity, mul(3 * beta, square(u))));
    for (const derivative of derivatives) {
      const slope = matmul(derivative, u);
      const transposed = derivative.transpose();
      residual = add(residual, matmul(transposed, add(slope, mul(gamma, mul(slope, square(slope))))));
      const weight = add(1, mul(3 * gamma, square(slope)));
      system = add(system, matmul(transposed, mul(derivative, weight.reshape([size, 1]))));
    }
    const change = linalg.solve(system, residual);
    u = sub(u, change);
    const most = (change.data() as Float64Array).reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
    if (!Number.isFinite(most)) throw new NonFiniteError(`${owner}: the values are no longer finite; begin nearer`);
    if (most <= tolerance) return { u: u.reshape(new Array<number>(d).fill(n)), iterations };
  }
  throw new NonFiniteError(`${owner}: Newton's method did not come to rest in ${maxIterations} steps; allow more`);
}

function matrixOf(size: number, entry: (i: number, j: number) => number): Tensor {
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) values[i * size + j] = entry(i, j);
  return hostTensor(values, [size, size], "float64");
}

/** Derivatives of trigonometric interpolation at an odd number of points. */
function derivativeMatrices(n: number, d: number, period: number): Tensor[] {
  const one = (i: number, j: number) => {
    if (i === j) return 0;
    const sign = (i - j) % 2 === 0 ? 1 : -1;
    return ((Math.PI / period) * sign) / Math.sin((Math.PI * (i - j)) / n);
  };
  if (d === 1) return [matrixOf(n, one)];
  const [row, column] = [(i: number) => Math.floor(i / n), (i: number) => i % n];
  return [
    matrixOf(n * n, (i, j) => (column(i) === column(j) ? one(row(i), row(j)) : 0)),
    matrixOf(n * n, (i, j) => (row(i) === row(j) ? one(column(i), column(j)) : 0)),
  ];
}
