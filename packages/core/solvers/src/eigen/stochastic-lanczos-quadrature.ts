import { checkOptions, random, requireInteger, ValueError } from "@offprint/tensor-core";
import { asOperator, type LinearOperator, type OperatorLike } from "../linear/linear-operator.js";
import { runLoop } from "../run/run-loop.js";
import { type RunOptions, type RunState, runOptionNames } from "../run/run-options.js";
import type { Status } from "../run/status.js";
import { lanczosSync } from "./lanczos.js";
import { tridiagonalEigen } from "./tridiagonal-eigen.js";

/** What is told of a probe. */
export interface LanczosQuadratureRecord {
  /** Probes made, from 1. */
  readonly iteration: number;
  /** What the last one gave. */
  readonly sample: number;
}

/** Options of {@link stochasticLanczosQuadrature}. */
export interface LanczosQuadratureOptions
  extends RunOptions<LanczosQuadratureRecord, RunState<readonly number[], LanczosQuadratureRecord>> {
  /** Source of the random signs. Default 0. */
  readonly seed?: number | string;
  /** Number of random probes (default 30). The standard error falls with its square root. */
  readonly probes?: number;
  /** Lanczos steps per probe (default `min(n, 50)`): exact for polynomials of degree `2 steps - 1`. */
  readonly steps?: number;
}

/** Result of {@link stochasticLanczosQuadrature}. */
export interface LanczosQuadratureResult {
  /** Estimate of `tr f(A)`; `NaN` without a probe. */
  readonly estimate: number;
  /** Standard error of the estimate over the probes; `NaN` with a single probe. */
  readonly standardError: number;
  /** The estimate of each probe. */
  readonly samples: Float64Array;
  /** `converged` where all probes were made. */
  readonly status: Status;
  /** Probes made. */
  readonly iterations: number;
  /** The record of every probe. */
  readonly history: readonly LanczosQuadratureRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<readonly number[], LanczosQuadratureRecord>;
}

/**
 * `tr f(A)` of a symmetric operator by stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017): the mean over probes
 * `z` of random signs of `z' f(A) z`, each by the Gauss quadrature that Lanczos gives.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param n - Order of `a`.
 * @param f - Function of an eigenvalue, such as `Math.log` for the log-determinant.
 * @throws ShapeError; ValueError for options out of range, and if `f` is not finite at a node (such as the logarithm of an
 * indefinite matrix's); NonFiniteError.
 */
export async function stochasticLanczosQuadrature(
  a: OperatorLike,
  n: number,
  f: (eigenvalue: number) => number,
  options: LanczosQuadratureOptions = {},
): Promise<LanczosQuadratureResult> {
  const owner = "stochasticLanczosQuadrature";
  checkOptions(owner, options, ["seed", "probes", "steps", ...runOptionNames]);
  const { seed = 0, probes = 30, steps = Math.min(n, 50) } = options;
  requireInteger(owner, "n", n, 1);
  requireInteger(owner, "probes", probes, 1);
  requireInteger(owner, "steps", steps, 1);
  const apply = asOperator(a, n, `${owner}: A`);
  const { last, ...run } = await runLoop<readonly number[], LanczosQuadratureRecord>(
    {
      owner,
      limit: probes,
      limitName: "probes",
      initial: () => [],
      step(samples, k) {
        const uniform = random.rng(`${seed}/probe/${k}`).uniform([n], { dtype: "float64" }).data();
        const signs = Float64Array.from(uniform, (u) => (u < 0.5 ? -1 : 1));
        return [...samples, n * quadratureForm(apply, n, f, steps, signs)];
      },
      record: (samples, iteration) => ({ iteration, sample: samples[samples.length - 1] }),
      finished: (samples) => (samples.length >= probes ? "converged" : undefined),
      check(samples) {
        if (!Array.isArray(samples)) throw new ValueError(`${owner}: resume has no samples; give a state of ${owner}`);
      },
    },
    options,
  );
  const samples = Float64Array.from(last);
  const estimate = samples.reduce((sum, v) => sum + v, 0) / samples.length;
  const variance = samples.reduce((sum, v) => sum + (v - estimate) ** 2, 0) / (samples.length - 1);
  return { estimate, standardError: Math.sqrt(variance / samples.length), samples, ...run };
}

/** `v' f(A) v` for the unit vector `v` along `initial`, by Gauss quadrature with `steps` nodes. */
function quadratureForm(
  apply: LinearOperator,
  n: number,
  f: (eigenvalue: number) => number,
  steps: number,
  initial: Float64Array,
): number {
  const { diagonal, offDiagonal } = lanczosSync(apply, n, { initial, maxIterations: steps });
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
export async function logDeterminantEstimate(
  a: OperatorLike,
  n: number,
  options: LanczosQuadratureOptions = {},
): Promise<LanczosQuadratureResult> {
  return stochasticLanczosQuadrature(a, n, Math.log, options);
}
