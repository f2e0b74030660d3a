import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  ShapeError,
  type sparse,
} from "@offprint/tensor-core";
import { asOperator, type OperatorLike } from "../linear/linear-operator.js";
import { addScaled, divide, norm } from "../linear/vector-arithmetic.js";
import { type Loop, type RunResult, runLoop, runLoopSync } from "../run/run-loop.js";
import { type RunOptions, type RunState, runOptionNames } from "../run/run-options.js";
import type { Status } from "../run/status.js";
import { checkLanczosState, type LanczosRecord } from "./lanczos.js";
import { type LanczosState, lanczosStart, lanczosStep } from "./lanczos-process.js";
import { tridiagonalEigen } from "./tridiagonal-eigen.js";

/** Which eigenpairs are wanted, and how well. */
export interface EigenpairSettings {
  /** Direction of the first basis vector, `[n]`, not zero. Default a fixed vector without symmetry. */
  readonly initial?: sparse.VectorLike;
  /** Which end of the spectrum (default `"largest"`). */
  readonly which?: "largest" | "smallest";
  /** How many eigenpairs (default 1). */
  readonly count?: number;
  /** Converged when every residual `|A v - lambda v|` is at most this times the largest `|lambda|` (default 1e-10). */
  readonly tolerance?: number;
  /** Most steps, and vectors in memory (default `min(n, max(300, 10 count))`). */
  readonly maxIterations?: number;
}

/** Where the search for eigenpairs stands. */
export interface EigenpairState extends LanczosState {
  /** Number of steps after which convergence is tested next. */
  readonly nextTest: number;
  /** Whether the last test was passed. */
  readonly passed: boolean;
}

/** Options of {@link lanczosEigenpairs}. */
export interface EigenpairOptions
  extends EigenpairSettings,
    RunOptions<LanczosRecord, RunState<EigenpairState, LanczosRecord>> {}

/** Result of {@link lanczosEigenpairs}. */
export interface EigenpairResult<S extends string = Status> {
  /** Eigenvalues, `[count]`: descending for `"largest"`, ascending for `"smallest"`. Fewer where it was stopped early. */
  readonly values: Float64Array;
  /** Rows are the unit eigenvectors: row-major `[count, n]`. */
  readonly vectors: Float64Array;
  /** Estimates of `|A v - lambda v|`, `[count]`. */
  readonly residuals: Float64Array;
  /** Why the solver stopped. */
  readonly status: S;
  /** Products with `A`. */
  readonly iterations: number;
  /** The record of every step. */
  readonly history: readonly LanczosRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<EigenpairState, LanczosRecord>;
}

const names = ["initial", "which", "count", "tolerance", "maxIterations"];

/**
 * Extremal eigenpairs of a symmetric operator by Lanczos with full re-orthogonalisation. Copies of a multiple eigenvalue
 * are found only as far as rounding or an exhausted subspace brings them in.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param n - Order of `a`.
 * @throws ShapeError; ValueError for options out of range and values that are not finite; NonFiniteError.
 */
export async function lanczosEigenpairs(
  a: OperatorLike,
  n: number,
  options: EigenpairOptions = {},
): Promise<EigenpairResult> {
  checkOptions("lanczosEigenpairs", options, [...names, ...runOptionNames]);
  const wanted = read("lanczosEigenpairs", n, options);
  return resultOf(n, wanted, await runLoop(loopOf("lanczosEigenpairs", a, n, wanted), options));
}

/** {@link lanczosEigenpairs} in one go. */
export function lanczosEigenpairsSync(
  a: OperatorLike,
  n: number,
  options: EigenpairSettings = {},
): EigenpairResult<"converged" | "limit"> {
  checkOptions("lanczosEigenpairsSync", options, names);
  const wanted = read("lanczosEigenpairsSync", n, options);
  return resultOf(n, wanted, runLoopSync(loopOf("lanczosEigenpairsSync", a, n, wanted)));
}

type Wanted = Required<Omit<EigenpairSettings, "initial">> & Pick<EigenpairSettings, "initial">;

function read(owner: string, n: number, options: EigenpairSettings): Wanted {
  const { which = "largest", count = 1, tolerance = 1e-10, initial } = options;
  requireInteger(owner, "n", n, 1);
  requireInteger(owner, "count", count, 1);
  requireNonNegative(owner, "tolerance", tolerance);
  requireChoice(owner, "which", which, ["largest", "smallest"]);
  if (count > n) throw new ShapeError(`${owner}: count ${count} exceeds the order ${n}`);
  const { maxIterations = Math.min(n, Math.max(300, 10 * count)) } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  return { which, count, tolerance, maxIterations, ...(initial === undefined ? {} : { initial }) };
}

function loopOf(owner: string, a: OperatorLike, n: number, wanted: Wanted): Loop<EigenpairState, LanczosRecord> {
  const { initial, count, tolerance, maxIterations } = wanted;
  const apply = asOperator(a, n, `${owner}: A`);
  return {
    owner,
    limit: maxIterations,
    initial: () => ({ ...lanczosStart(owner, initial, n), nextTest: Math.min(n, Math.max(count, 8)), passed: false }),
    step(state, k) {
      const next = lanczosStep(state, apply);
      if (k < state.nextTest) return { ...next, nextTest: state.nextTest, passed: false };
      const passed = k === n || ritzPairs(next, wanted).worst <= tolerance;
      // Each test costs O(k^3); tests at growing distances keep the sum at that order.
      return { ...next, nextTest: Math.min(n, k + Math.max(4, Math.ceil(k / 4))), passed };
    },
    record: ({ residualNorm }, iteration) => ({ iteration, residualNorm }),
    finished: ({ passed }) => (passed ? "converged" : undefined),
    check: (state) => checkLanczosState(owner, state, n),
  };
}

interface RitzPairs {
  readonly values: Float64Array;
  readonly coefficients: Float64Array[];
  readonly residuals: Float64Array;
  /** Largest residual relative to the largest Ritz value. */
  readonly worst: number;
}

function ritzPairs({ diagonal, offDiagonal, residualNorm }: LanczosState, { count, which }: Wanted): RitzPairs {
  const k = diagonal.length;
  const { values, vectors } = tridiagonalEigen(diagonal, offDiagonal.slice(0, Math.max(0, k - 1)), "all");
  const chosen = Array.from({ length: Math.min(count, k) }, (_, i) => (which === "largest" ? k - 1 - i : i));
  const residuals = Float64Array.from(chosen, (j) => residualNorm * Math.abs(vectors[(k - 1) * k + j]));
  const scale = Math.max(Math.abs(values[0]), Math.abs(values[k - 1]), Number.MIN_VALUE);
  return {
    values: Float64Array.from(chosen, (j) => values[j]),
    coefficients: chosen.map((j) => Float64Array.from({ length: k }, (_, i) => vectors[i * k + j])),
    residuals,
    worst: Math.max(...residuals) / scale,
  };
}

function resultOf<S extends string>(
  n: number,
  wanted: Wanted,
  run: Omit<RunResult<EigenpairState, LanczosRecord>, "status"> & { readonly status: S },
): EigenpairResult<S> {
  const { status, iterations, history, last, state } = run;
  const { values, coefficients, residuals } = ritzPairs(last, wanted);
  const vectors = new Float64Array(values.length * n);
  coefficients.forEach((weights, r) => {
    const row = vectors.subarray(r * n, (r + 1) * n);
    weights.forEach((weight, i) => {
      addScaled(row, weight, last.basis[i]);
    });
    divide(row, norm(row));
  });
  return { values, vectors, residuals, status, iterations, history, state };
}
