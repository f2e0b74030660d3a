import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type TensorLike,
} from "@offprint/tensor-core";
import type { PdeConstraint } from "./constraint.js";
import { checkExperts, type Experts } from "./partition.js";

/** Options of {@link hardConstraint}. */
export interface ConstraintOptions {
  /** Experts along each axis of the grid; default one for all, a plain hard constraint. */
  readonly experts?: Experts;
  /** Points of its block that an expert looks at, drawn without replacement (default `"all"`). */
  readonly samplesPerExpert?: number | "all";
  /** Weight of the penalty `ridge |w|^2`'s root: rows `ridge w` (default 1e-4). */
  readonly ridge?: number;
  /** Most iterations of Levenberg and Marquardt (default 100). */
  readonly maxIterations?: number;
  /**
   * Converged when the largest entry of an expert's gradient J^T F is at most this part of `|J| (|F| + |J| |w|)` at the start, by the
   * longest column of J: the same in any units (default 1e-8).
   */
  readonly tolerance?: number;
  /** Weights to begin from: a number for all, or `[N]`. Default that of the equation, 0 or 1. */
  readonly initial?: number | TensorLike;
  /** Of the implicit gradient: the whole one (default), or `"gaussNewton"`, J^T J alone, which is wrong where residuals stay. */
  readonly hessian?: "full" | "gaussNewton";
  /** Of the sampled points (default 0). */
  readonly seed?: number | string;
}

/** @internal */
export const constraintNames = [
  ...["experts", "samplesPerExpert", "ridge", "maxIterations", "tolerance", "initial", "hessian", "seed"],
];

/** @internal */
export interface Settings extends Required<Omit<ConstraintOptions, "initial">> {
  readonly initial: number | TensorLike;
}

/** @internal @throws ValueError, ShapeError */
export function checkConstraint<P>(owner: string, pde: PdeConstraint<P>, options: ConstraintOptions): Settings {
  checkOptions(owner, options, constraintNames);
  const { experts = pde.grid.map(() => 1), samplesPerExpert = "all", ridge = 1e-4, maxIterations = 100 } = options;
  const { tolerance = 1e-8, initial = pde.initialWeight ?? 0, hessian = "full", seed = 0 } = options;
  checkExperts(owner, experts, pde.grid);
  if (samplesPerExpert !== "all") {
    requireInteger(owner, "samplesPerExpert", samplesPerExpert, 1, blockSize(pde.grid, experts));
  }
  requireNonNegative(owner, "ridge", ridge);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requirePositive(owner, "tolerance", tolerance);
  requireChoice(owner, "hessian", hessian, ["full", "gaussNewton"]);
  return { experts, samplesPerExpert, ridge, maxIterations, tolerance, initial, hessian, seed };
}

/** @internal Points of a block. */
export function blockSize(grid: readonly number[], experts: Experts): number {
  return grid.reduce((size, n, axis) => (size * n) / experts[axis], 1);
}
