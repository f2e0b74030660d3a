import { type Rng, ValueError } from "@offprint/tensor-core";
import { checkCount, IterationMonitor, type IterationOptions } from "../linear/iteration.js";
import { asOperator, type OperatorLike } from "../linear/linear-operator.js";
import { lanczos } from "./lanczos.js";
import { tridiagonalEigen } from "./tridiagonal-eigen.js";

/** Options of {@link stochasticLanczosQuadrature}. */
export interface LanczosQuadratureOptions extends IterationOptions {
  /** Source of the random signs. */
  readonly rng: Rng;
  /** Number of random probes (default 30). The standard error falls with its square root. */
  readonly probes?: number;
  /** Lanczos steps per probe (default `min(n, 50)`): exact for polynomials of degree `2 steps - 1`. */
  readonly steps?: number;
}

/** Result of {@link stochasticLanczosQuadrature}. */
export interface LanczosQuadratureResult {
  /** Estimate of `tr f(A)`. */
  readonly estimate: number;
  /** Standard error of the estimate over the probes; `NaN` with a single probe. */
  readonly standardError: number;
  /** The estimate of each probe, `[probes]`. */
  readonly samples: Float64Array;
}

/**
 * `tr f(A)` of a symmetric operator by stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017): the mean over probes
 * `z` of random signs of `z' f(A) z`, each by the Gauss quadrature that Lanczos gives.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param n - Order of `a`.
 * @param f - Function of an eigenvalue, such as `Math.log` for the log-determinant.
 * @throws ShapeError; ValueError if `f` is not finite at a node (such as the logarithm of an indefinite matrix's);
 * AbortedError.
 */
export function stochasticLanczosQuadrature(
  a: OperatorLike,
  n: number,
  f: (eigenvalue: number) => number,
  options: LanczosQuadratureOptions,
): LanczosQuadratureResult {
  const { rng, probes = 30, steps = Math.min(n, 50) } = options;
  checkCount(n, "stochasticLanczosQuadrature: n");
  checkCount(probes, "stochasticLanczosQuadrature: probes");
  checkCount(steps, "stochasticLanczosQuadrature: steps");
  const apply = asOperator(a, n, "stochasticLanczosQuadrature: A");
  const monitor = new IterationMonitor(options, "stochasticLanczosQuadrature");
  const samples = new Float64Array(probes);
  let sum = 0;
  for (let k = 0; k < probes; k++) {
    const uniform = rng.uniform([n], { dtype: "float64" }).data();
    const signs = Float64Array.from(uniform, (u) => (u < 0.5 ? -1 : 1));
    samples[k] = n * quadratureForm(apply, n, f, steps, signs);
    sum += samples[k];
    monitor.report(k + 1, Math.abs(samples[k] - sum / (k + 1)));
  }
  const estimate = sum / probes;
  const variance = samples.reduce((s, v) => s + (v - estimate) ** 2, 0) / (probes - 1);
  return { estimate, standardError: Math.sqrt(variance / probes), samples };
}

/** `v' f(A) v` for the unit vector `v` along `start`, by Gauss quadrature with `steps` nodes. */
function quadratureForm(
  apply: OperatorLike,
  n: number,
  f: (eigenvalue: number) => number,
  steps: number,
  start: Float64Array,
): number {
  const { diagonal, offDiagonal } = lanczos(apply, n, steps, { start });
  // A zero couples nothing: what follows it is no longer part of the Krylov space of the probe.
  const end = offDiagonal.indexOf(0);
  const size = end < 0 ? diagonal.length : end + 1;
  const { values, vectors } = tridiagonalEigen(diagonal.subarray(0, size), offDiagonal.subarray(0, size - 1), "first");
  let sum = 0;
  for (let j = 0; j < size; j++) {
    const value = f(values[j]);
    if (!Number.isFinite(value)) {
      throw new ValueError(`stochasticLanczosQuadrature: f is ${value} at the eigenvalue estimate ${values[j]}`);
    }
    sum += vectors[j] ** 2 * value;
  }
  return sum;
}

/** Log-determinant of a symmetric positive definite operator: {@link stochasticLanczosQuadrature} of the logarithm. */
export function logDeterminantEstimate(
  a: OperatorLike,
  n: number,
  options: LanczosQuadratureOptions,
): LanczosQuadratureResult {
  return stochasticLanczosQuadrature(a, n, Math.log, options);
}
