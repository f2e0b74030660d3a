import { checkOptions, requireInteger, type sparse, ValueError } from "@offprint/tensor-core";
import { asOperator, type OperatorLike } from "../linear/linear-operator.js";
import { type Loop, type RunResult, runLoop, runLoopSync } from "../run/run-loop.js";
import { type RunOptions, type RunState, runOptionNames } from "../run/run-options.js";
import type { Status } from "../run/status.js";
import { type LanczosState, lanczosStart, lanczosStep } from "./lanczos-process.js";

/** What the Lanczos process takes. */
export interface LanczosSettings {
  /** Direction of the first basis vector, `[n]`, not zero. Default a fixed vector without symmetry. */
  readonly initial?: sparse.VectorLike;
  /** Steps to take, at most `n` (default `n`). */
  readonly maxIterations?: number;
}

/** What the process tells of a step. */
export interface LanczosRecord {
  /** Steps taken, from 1. */
  readonly iteration: number;
  /** Norm of what is left after the step: 0 if the basis spans an invariant subspace. */
  readonly residualNorm: number;
}

/** Options of {@link lanczos}. */
export interface LanczosOptions
  extends LanczosSettings,
    RunOptions<LanczosRecord, RunState<LanczosState, LanczosRecord>> {}

/** `A Q = Q T + (residual in the last column)`: orthonormal basis and tridiagonal matrix. */
export interface LanczosResult<S extends string = Status> {
  /** Rows are the basis vectors: row-major `[iterations, n]`. */
  readonly basis: Float64Array;
  /** Diagonal of `T`, `[iterations]`. */
  readonly diagonal: Float64Array;
  /** Off-diagonal of `T`, `[iterations - 1]`; 0 where an invariant subspace was complete and a new vector was started. */
  readonly offDiagonal: Float64Array;
  /** Norm of what is left after the last step: 0 if the basis spans an invariant subspace. */
  readonly residualNorm: number;
  /** Why it stopped; `converged` where the basis spans the whole space. */
  readonly status: S;
  /** Steps taken. */
  readonly iterations: number;
  /** The record of every step. */
  readonly history: readonly LanczosRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<LanczosState, LanczosRecord>;
}

const names = ["initial", "maxIterations"];

/**
 * Lanczos tridiagonalisation of a symmetric operator with full re-orthogonalisation: a product with `A` for each step
 * and `O(n k)` arithmetic for the `k`-th. Where an invariant subspace ends the process, it goes on in the complement.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param n - Order of `a`.
 * @throws ShapeError; ValueError for options out of range and values that are not finite; NonFiniteError.
 */
export async function lanczos(a: OperatorLike, n: number, options: LanczosOptions = {}): Promise<LanczosResult> {
  checkOptions("lanczos", options, [...names, ...runOptionNames]);
  return resultOf(n, await runLoop(loopOf("lanczos", a, n, options), options));
}

/** {@link lanczos} in one go. */
export function lanczosSync(
  a: OperatorLike,
  n: number,
  options: LanczosSettings = {},
): LanczosResult<"converged" | "limit"> {
  checkOptions("lanczosSync", options, names);
  return resultOf(n, runLoopSync(loopOf("lanczosSync", a, n, options)));
}

function loopOf(
  owner: string,
  a: OperatorLike,
  n: number,
  options: LanczosSettings,
): Loop<LanczosState, LanczosRecord> {
  requireInteger(owner, "n", n, 1);
  const { maxIterations = n } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const apply = asOperator(a, n, `${owner}: A`);
  return {
    owner,
    limit: maxIterations,
    initial: () => lanczosStart(owner, options.initial, n),
    step: (state) => lanczosStep(state, apply),
    record: ({ residualNorm }, iteration) => ({ iteration, residualNorm }),
    finished: ({ diagonal }) => (diagonal.length === n ? "converged" : undefined),
    check: (state) => checkLanczosState(owner, state, n),
  };
}

/** @internal @throws ValueError unless it is a state for an operator of order `n`. */
export function checkLanczosState(owner: string, { basis, diagonal }: LanczosState, n: number): void {
  if (Array.isArray(basis) && Array.isArray(diagonal) && basis.every((q) => q?.length === n)) return;
  throw new ValueError(`${owner}: resume is a state of another operator; give one of this operator`);
}

function resultOf<S extends string>(
  n: number,
  run: Omit<RunResult<LanczosState, LanczosRecord>, "status"> & { readonly status: S },
): LanczosResult<S> {
  const { status, iterations, history, last, state } = run;
  const basis = new Float64Array(iterations * n);
  for (let k = 0; k < iterations; k++) basis.set(last.basis[k], k * n);
  return {
    basis,
    diagonal: Float64Array.from(last.diagonal),
    offDiagonal: Float64Array.from(last.offDiagonal.slice(0, Math.max(0, iterations - 1))),
    residualNorm: last.residualNorm,
    status,
    iterations,
    history,
    state,
  };
}
