import { type LinearSolverResult, sor, ssor, ssorConjugateGradients } from "@offprint/solvers";
import {
  checkOptions,
  requireChoice,
  requireFunction,
  requireInteger,
  requireNonNegative,
  requireObject,
  type sparse,
  ValueError,
} from "@offprint/tensor-core";
import type { OnlinePolicy } from "./policy.js";
import {
  type Memory,
  type Problems,
  type Round,
  runSequence,
  sequenceOptionNames,
  type TuneSequenceOptions,
  type TuneSequenceResult,
} from "./tune-sequence.js";

/** One system of a sequence: (A + shift I) x = b. */
export interface LinearSystem {
  /** `[n, n]`, sparse, without zeros on the diagonal. */
  readonly A: sparse.SparseMatrix;
  /** `[n]` right-hand side. */
  readonly b: sparse.VectorLike;
  /** Default 0. */
  readonly shift?: number;
  /** `[n]` first iterate; zeros, or the solution before with `warmStart`. */
  readonly initial?: sparse.VectorLike;
  /** What the policy is told beforehand, such as the shift, a time step or a coefficient. */
  readonly context?: number;
}

/** A solver whose relaxation parameter is chosen: sweeps of SOR or symmetric SOR, or CG preconditioned by the latter. */
export type SequenceSolver = "sor" | "ssor" | "ssor-cg";

/** A system, solved: what the history keeps of it. */
export interface SolvedRound extends Round {
  /** Sweeps of SOR, symmetric sweeps, or CG iterations. */
  readonly iterations: number;
  /** Whether the tolerance was reached. */
  readonly converged: boolean;
  /** Norm of the residual over that of the first iterate's (SOR, SSOR) or of b (CG). */
  readonly relativeResidual: number;
}

/** A system and its solution. */
export interface SolvedSystem extends SolvedRound {
  /** `[n]` solution. */
  readonly x: Float64Array;
}

/** Options of {@link solveSequence}. */
export interface SolveSequenceOptions extends Omit<TuneSequenceOptions<LinearSystem, number, SolvedRound>, "context"> {
  /** Default `"sor"`. */
  readonly solver?: SequenceSolver;
  /** Residual norm, relative to that of the first iterate's (SOR, SSOR) or to b (CG), to reach; default 1e-8. */
  readonly tolerance?: number;
  /** Iterations of a system at most; default 10 000. A system that needs more counts as so many. */
  readonly maxIterations?: number;
  /** Order of the factors of the preconditioner of CG; default `"lower-first"`. */
  readonly order?: "lower-first" | "upper-first";
  /** Starts from the solution before where a system has no `initial`; default false. */
  readonly warmStart?: boolean;
  /** Called with every solution; it is kept nowhere else. */
  readonly onSolution?: (solved: SolvedSystem) => void;
}

/** A sequence, solved. */
export interface SolveSequenceResult extends TuneSequenceResult<number, SolvedRound> {
  /** `[T]` iterations that the systems took. */
  readonly counts: Int32Array;
  /** Their sum. */
  readonly totalIterations: number;
  /** Indices of the systems that did not converge. */
  readonly unconverged: readonly number[];
}

const solve = { sor, ssor, "ssor-cg": ssorConjugateGradients };

const optionNames = [
  "solver",
  "tolerance",
  "maxIterations",
  "order",
  "warmStart",
  "onSolution",
  ...sequenceOptionNames.filter((name) => name !== "context"),
] as const;

/**
 * Solves a sequence of sparse systems while learning the relaxation parameter from iteration counts.
 *
 * @param systems - see {@link Problems}. Each is drawn when the one before is solved, so that a generator may make a time
 * step from `onSolution`'s last solution.
 * @param policy - over relaxation parameters in (0, 2); is changed, and `policy.toJSON()` goes on later.
 * @throws ShapeError; ValueError for systems and options out of range.
 * @example
 * ```ts
 * const policy = new ChebCB({ settings: omegaGrid(), range: [0, 1], seed: 0 });
 * const { totalIterations } = await solveSequence([{ A, b, shift: 0.2, context: 0.2 }], policy);
 * ```
 */
export async function solveSequence(
  systems: Problems<LinearSystem>,
  policy: OnlinePolicy<number>,
  options: SolveSequenceOptions = {},
): Promise<SolveSequenceResult> {
  requireObject("solveSequence", "policy", policy, "an OnlinePolicy");
  const owner = "solveSequence";
  checkOptions(owner, options, optionNames);
  const { solver = "sor", tolerance = 1e-8, maxIterations = 10000, order, warmStart = false, onSolution } = options;
  if (!Object.hasOwn(solve, solver)) {
    throw new ValueError(`${owner}: solver is "${solver}"; it must be ${Object.keys(solve).join(", ")}`);
  }
  requireInteger(owner, "maxIterations", maxIterations, 1);
  requireNonNegative(owner, "tolerance", tolerance);
  requireChoice(owner, "warmStart", warmStart, [true, false]);
  if (onSolution !== undefined) requireFunction(owner, "onSolution", onSolution);
  let last: Float64Array | null = null;
  const memory: Memory = {
    get: () => (warmStart ? last : null),
    set(saved) {
      if (saved !== null && !(saved instanceof Float64Array)) {
        throw new ValueError(`${owner}: resume holds no solution to start from; give the \`state\` of a result`);
      }
      last = saved;
    },
  };
  const run = await runSequence<LinearSystem, number, Omit<SolvedRound, "round" | "setting">>(
    owner,
    systems,
    async ({ A, b, shift = 0, initial = warmStart && last?.length === A.rows ? last : undefined }, omega, round) => {
      const result = await solve[solver](A, b, {
        ...{ omega, shift, maxIterations, tolerance },
        ...(initial !== undefined && { initial }),
        ...(order !== undefined && { order }),
        ...(options.signal !== undefined && { signal: options.signal }),
      });
      if (result.status === "aborted") return undefined;
      const converged = result.status === "converged";
      const told = {
        loss: converged ? result.iterations : maxIterations,
        iterations: result.iterations,
        converged,
        relativeResidual: relativeResidual(result, solver, b),
      };
      last = result.x;
      onSolution?.({ round, setting: omega, ...told, x: result.x });
      return told;
    },
    policy,
    {
      ...options,
      context(system) {
        checkOptions(`${owner}: a system`, system, ["A", "b", "shift", "initial", "context"], ["A", "b"]);
        return system.context as number;
      },
    },
    memory,
  );
  const counts = Int32Array.from(run.history, ({ iterations }) => iterations);
  return {
    ...run,
    counts,
    totalIterations: counts.reduce((sum, k) => sum + k, 0),
    unconverged: run.history.filter(({ converged }) => !converged).map(({ round }) => round),
  };
}

function relativeResidual(result: LinearSolverResult, solver: SequenceSolver, b: sparse.VectorLike): number {
  if (result.residualNorm === 0) return 0;
  if (solver !== "ssor-cg") return result.residualNorm / result.initialResidualNorm;
  const values: ArrayLike<number> = "data" in b ? (b.data() as ArrayLike<number>) : b;
  // Squares of entries of 1e-200 are 0, and those of 1e200 infinite.
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  if (largest === 0) return Infinity;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! / largest) ** 2;
  return result.residualNorm / largest / Math.sqrt(squares);
}
