import { type LinearSolverResult, sor, ssor, ssorConjugateGradients } from "@offprint/solvers";
import { AbortedError, requireInteger, type sparse, ValueError } from "@offprint/tensor-core";
import type { OnlinePolicy } from "./policy.js";
import { type Round, tuneSequence } from "./tune-sequence.js";

/** One system of a sequence: (A + shift I) x = b. */
export interface LinearSystem {
  /** `[n, n]`, sparse, without zeros on the diagonal. */
  readonly A: sparse.SparseMatrix;
  /** `[n]` right-hand side. */
  readonly b: sparse.VectorLike;
  /** Default 0. */
  readonly shift?: number;
  /** `[n]` first iterate; zeros, or the solution before with `warmStart`. */
  readonly x0?: sparse.VectorLike;
  /** What the policy is told beforehand, such as the shift, a time step or a coefficient. */
  readonly context?: number;
}

/** A solver whose relaxation parameter is chosen: sweeps of SOR or symmetric SOR, or CG preconditioned by the latter. */
export type SequenceSolver = "sor" | "ssor" | "ssor-cg";

/** A system, solved. */
export interface SolvedSystem extends Round {
  /** `[n]` solution. */
  readonly x: Float64Array;
  /** Sweeps of SOR, symmetric sweeps, or CG iterations. */
  readonly iterations: number;
  /** Whether the tolerance was reached. */
  readonly converged: boolean;
  /** Norm of the residual over that of the first iterate's (SOR, SSOR) or of b (CG). */
  readonly relativeResidual: number;
}

/** Options of {@link solveSequence}. */
export interface SolveSequenceOptions {
  /** Default `"sor"`. */
  solver?: SequenceSolver;
  /** Residual norm, relative to that of the first iterate's (SOR, SSOR) or to b (CG), to reach; default 1e-8. */
  tolerance?: number;
  /** Iterations at most; default 10 000. A system that needs more counts as so many. */
  maxIterations?: number;
  /** Order of the factors of the preconditioner of CG; default `"lower-first"`. */
  order?: "lower-first" | "upper-first";
  /** Starts from the solution before where a system has no `x0`; default false. */
  warmStart?: boolean;
  /** Called with every solution; it is kept nowhere else. */
  onSolution?: (solved: SolvedSystem) => void;
  /** Stops with an AbortedError at the next system or within a long solve; what the policy has learned stays. */
  signal?: AbortSignal;
}

/** A sequence, solved. */
export interface SolveSequenceResult {
  /** `[T]` relaxation parameters that were chosen. */
  readonly settings: Float64Array;
  /** `[T]` iterations that they took. */
  readonly iterations: Int32Array;
  /** Their sum. */
  readonly totalIterations: number;
  /** Indices of the systems that did not converge. */
  readonly unconverged: readonly number[];
}

const solve = { sor: sor, ssor: ssor, "ssor-cg": ssorConjugateGradients };

/**
 * Solves a sequence of sparse systems while learning the relaxation parameter from iteration counts.
 *
 * @param systems - in their order; any iterable, also an asynchronous one. Each is drawn when the one before is solved, so
 * that a generator may make a time step from `onSolution`'s last solution.
 * @param policy - over relaxation parameters in (0, 2); is changed, and `policy.toJSON()` goes on later.
 * @throws ShapeError; ValueError for systems and options out of range; AbortedError.
 * @example
 * ```ts
 * const policy = new ChebCB({ settings: omegaGrid(), range: [0, 1], seed: 0 });
 * const { totalIterations } = await solveSequence([{ A, b, shift: 0.2, context: 0.2 }], policy);
 * ```
 */
export async function solveSequence(
  systems: Iterable<LinearSystem> | AsyncIterable<LinearSystem>,
  policy: OnlinePolicy<number>,
  options: SolveSequenceOptions = {},
): Promise<SolveSequenceResult> {
  const { solver = "sor", tolerance = 1e-8, maxIterations = 10000, order, warmStart = false, signal } = options;
  if (!Object.hasOwn(solve, solver)) {
    throw new ValueError(`solveSequence: solver is "${solver}"; it must be ${Object.keys(solve).join(", ")}`);
  }
  requireInteger("solveSequence", "maxIterations", maxIterations, 1);
  const unconverged: number[] = [];
  const iterations: number[] = [];
  let last: Float64Array | undefined;
  const run = async (system: LinearSystem, omega: number): Promise<number> => {
    const { A, b, shift = 0, x0 = warmStart && last?.length === A.rows ? last : undefined } = system;
    const result = await solve[solver](A, b, {
      omega,
      shift,
      maxIterations,
      tolerance,
      ...(x0 === undefined ? {} : { initial: x0 }),
      ...(order === undefined ? {} : { order }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (result.status === "aborted") throw new AbortedError("solveSequence: aborted by the caller's signal");
    const round = iterations.length;
    const converged = result.status === "converged";
    if (!converged) unconverged.push(round);
    iterations.push(result.iterations);
    last = result.x;
    const loss = converged ? result.iterations : maxIterations;
    options.onSolution?.({
      round,
      setting: omega,
      loss,
      x: result.x,
      iterations: result.iterations,
      converged,
      relativeResidual: relativeResidual(result, solver, b),
    });
    return loss;
  };
  const context = (system: LinearSystem) => system.context as number;
  const { settings } = await tuneSequence(systems, run, policy, { context, ...(signal ? { signal } : {}) });
  return {
    settings: Float64Array.from(settings),
    iterations: Int32Array.from(iterations),
    totalIterations: iterations.reduce((sum, k) => sum + k, 0),
    unconverged,
  };
}

function relativeResidual(result: LinearSolverResult, solver: SequenceSolver, b: sparse.VectorLike): number {
  if (result.residualNorm === 0) return 0;
  if (solver !== "ssor-cg") return result.residualNorm / result.initialResidualNorm;
  const values: ArrayLike<number> = "data" in b ? (b.data() as ArrayLike<number>) : b;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! ** 2;
  return result.residualNorm / Math.sqrt(squares);
}
