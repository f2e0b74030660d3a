import { dot, type GibbsKernel, type PlanSums } from "./gibbs-kernel.js";
import { gapOf, type LinearSolver, type NewtonSolution, NewtonSystem, project } from "./newton-system.js";
import { keepAll, keepLargest, type SparsePlan } from "./sparsify.js";

/** Sufficient increase: f grows by this part of what its slope promises. */
const ARMIJO = 1e-4;
/** Rounding allowed in f, relative to the size of its terms. */
export const SLACK = 1e-15;

/** How a Newton step is found. */
export interface NewtonStepOptions {
  /** `"full"` keeps every entry. */
  readonly newton: "sparse" | "full";
  /** Entries kept: k. */
  readonly keep: number;
  readonly linearSolver: LinearSolver;
  /** Relative residual of conjugate gradients. */
  readonly cgTolerance: number;
  readonly cgMaxIterations: number;
  readonly gauge: "projected" | "augmented";
  /** Levenberg shift mu: the diagonal is multiplied by 1 + mu. */
  readonly shift: number;
  /** The least step length that is tried. */
  readonly leastAlpha: number;
  /** Whether a direction is searched though conjugate gradients broke down on the way to it. */
  readonly acceptBreakdown: boolean;
}

/** A Newton step: accepted where `sums` are there, and then the kernel's potentials are moved. */
export interface NewtonStep {
  readonly solution: NewtonSolution;
  /** Entries of S. */
  readonly kept: number;
  readonly alpha: number;
  /** Sums of the plan after the step. */
  readonly sums?: PlanSums;
}

/**
 * Stage 2, one iteration, as in Algorithm 1 of the paper:
 *
 *     S     <- the k largest entries of P
 *     M     <- eta [diag(P 1)  S; S^T  diag(P^T 1)]
 *     dz    <- CG(M, grad f),  less its part along the gauge
 *     alpha <- 1, 1/2, 1/4, ... until f(z + alpha dz) grows enough
 *     z     <- z + alpha dz
 */
export function newtonStep(kernel: GibbsKernel, sums: PlanSums, options: NewtonStepOptions): NewtonStep {
  const { gauge, shift, linearSolver, cgTolerance, cgMaxIterations, leastAlpha } = options;
  const S = keptEntries(kernel, options);
  const g = gradient(kernel, sums, gauge);
  const M = new NewtonSystem(S, sums.rows, sums.columns, shift, gauge === "augmented" ? 1 / kernel.eta : 0);
  const solution = M.solve(g, { solver: linearSolver, rtol: cgTolerance, maxSteps: cgMaxIterations });
  const refused = { solution, kept: S.kept.entries, alpha: 0 };
  if (solution.status === "breakdown" && !(options.acceptBreakdown && solution.cgSteps > 0)) return refused;
  const { step } = solution;
  if (gauge === "projected") project(step, kernel.n);
  return { ...refused, ...backtrack(kernel, sums, g, step, gauge, leastAlpha) };
}

function keptEntries({ n, m, rows }: GibbsKernel, { newton, keep }: NewtonStepOptions): SparsePlan {
  const P = { n, m, stride: rows.stride, data: rows.plan };
  return newton === "full" ? keepAll(P) : keepLargest(P, keep);
}

/** (r - P 1; c - P^T 1), less the pull of the augmented potential towards sum x = sum y. */
function gradient(kernel: GibbsKernel, { rows, columns }: PlanSums, gauge: "projected" | "augmented"): Float64Array {
  const { n, m, r, c } = kernel;
  const g = new Float64Array(n + m);
  for (let i = 0; i < n; i++) g[i] = r[i] - rows[i];
  for (let j = 0; j < m; j++) g[n + j] = c[j] - columns[j];
  if (gauge === "augmented") {
    const pull = kernel.gap() / kernel.eta;
    for (let i = 0; i < n + m; i++) g[i] -= i < n ? pull : -pull;
  }
  return g;
}

/** Halves the step length until f grows enough; moves the kernel's potentials there. */
function backtrack(
  kernel: GibbsKernel,
  sums: PlanSums,
  g: Float64Array,
  step: Float64Array,
  gauge: "projected" | "augmented",
  leastAlpha: number,
): { sums: PlanSums; alpha: number } | undefined {
  const { n, u, v, eta } = kernel;
  const slope = dot(g, step);
  if (!(slope > 0 && slope < Infinity)) return undefined;
  // The augmented potential, times eta, is eta f - gap^2 / (2 eta); gap = sum u - sum v.
  const gapStep = gauge === "augmented" ? gapOf(step, n) : 0;
  const gap = gauge === "augmented" ? kernel.gap() : 0;
  const value = kernel.relativeLyapunov(u, v, sums.total);
  for (let alpha = 1; alpha >= leastAlpha; alpha /= 2) {
    const nextU = u.map((from, i) => from + alpha * step[i]);
    const nextV = v.map((from, j) => from + alpha * step[n + j]);
    const trial = kernel.evaluate(nextU, nextV);
    const gain =
      kernel.relativeLyapunov(nextU, nextV, trial.total) -
      value -
      ((gap + alpha * gapStep) ** 2 - gap ** 2) / (2 * eta);
    if (Number.isFinite(trial.total) && gain >= ARMIJO * alpha * slope - SLACK * (1 + Math.abs(value))) {
      kernel.u = nextU;
      kernel.v = nextV;
      return { sums: trial, alpha };
    }
  }
  return undefined;
}
