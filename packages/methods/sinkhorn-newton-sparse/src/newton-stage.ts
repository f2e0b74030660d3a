import { ConvergenceError } from "@offprint/tensor-core";
import { dot, type GibbsKernel, type PlanSums } from "./gibbs-kernel.js";
import { gapOf, type LinearSolver, type NewtonSolution, NewtonSystem, project } from "./newton-system.js";
import type { History } from "./record.js";
import { assess } from "./sinkhorn-stage.js";
import { keepAll, keepLargest, type SparsePlan } from "./sparsify.js";

/** How Newton steps are found. */
export interface NewtonStageOptions {
  readonly iterations: number;
  readonly tol: number;
  readonly newton: "sparse" | "full";
  /** Entries kept, at first. */
  readonly keep: number;
  readonly linearSolver: LinearSolver;
  readonly cgRtol: number | "adaptive";
  readonly cgMaxIter: number;
  readonly gauge: "projected" | "augmented";
  readonly strict: boolean;
  /** Ends the stage after a step that had to be shortened much: it began too far away. */
  readonly leaveWhenShort: boolean;
}

/** Sufficient increase: f grows by this part of what its slope promises. */
const ARMIJO = 1e-4;
/** Rounding allowed in f, relative to the size of its terms. */
const SLACK = 1e-15;
/** The shift takes over when no step length from here on is accepted. */
const LEAST_ALPHA = 1e-3;
const LEAST_ALPHA_STRICT = 1e-12;
const FIRST_SHIFT = 1e-8;
const NO_SHIFT = 1e-9;
const TRIES = 6;
/** Full steps that turn out too short are doubled as long as that helps, up to this length. */
const MOST_ALPHA = 64;
/** A step that changes the error by less than this part of it is followed by a Sinkhorn iteration. */
const STALLED = 1e-3;
/** A step this short is a sign that Newton steps lead nowhere yet. */
const SHORT = 1 / 8;
/** With full steps and solved systems the error must fall by this factor, or more entries are kept. */
const EXPECTED_FALL = 4;
const GROWTH = 1.5;

interface Origin {
  readonly u: Float64Array;
  readonly v: Float64Array;
  readonly error: number;
}

interface Accepted {
  readonly sums: PlanSums;
  readonly alpha: number;
  readonly solved: boolean;
}

/**
 * Stage 2: Newton steps on f with the thresholded Hessian, from the kernel's present potentials.
 *
 * @returns whether it was left because of a short step
 * @throws ConvergenceError where `strict` and a system or line search breaks down.
 */
export function newtonStage(kernel: GibbsKernel, history: History, options: NewtonStageOptions): boolean {
  const { tol, strict } = options;
  const places = Math.max(kernel.n, kernel.m);
  let keep = options.keep;
  let shift = 0;
  let stalled = false;
  let { linearSolver } = options;
  kernel.absorb();
  let sums = kernel.evaluate();
  let { error } = assess(kernel, sums);
  for (let t = 0; t < options.iterations && error > tol && !history.stopped; t++) {
    const S = keptEntries(kernel, options.newton, keep);
    const g = gradient(kernel, sums, options.gauge);
    const origin = { u: kernel.u, v: kernel.v, error };
    let cgSteps = 0;
    let accepted: Accepted | undefined;
    for (let attempt = 0; attempt < TRIES && !stalled && accepted === undefined; attempt++) {
      const augment = options.gauge === "augmented" ? 1 / kernel.eta : 0;
      const positive = sums.rows.every((sum) => sum > 0) && sums.columns.every((sum) => sum > 0);
      if (!positive) break;
      const system = new NewtonSystem(S, sums.rows, sums.columns, shift, augment);
      const solution = system.solve(g, {
        solver: linearSolver,
        rtol: options.cgRtol === "adaptive" ? Math.min(1e-2, error) : options.cgRtol,
        maxSteps: options.cgMaxIter,
      });
      cgSteps += solution.cgSteps;
      // Systems become harder to solve from step to step.
      if (linearSolver === "auto" && solution.solver === "dense") linearSolver = "dense";
      // Without safeguards, what conjugate gradients had found when they broke down has to do.
      if (solution.status !== "breakdown" || (strict && solution.cgSteps > 0))
        accepted = search(kernel, sums, g, solution, options);
      if (accepted !== undefined) break;
      if (strict) throw breakdown(solution, history);
      shift = Math.max(10 * shift, FIRST_SHIFT);
    }
    stalled = false;
    if (accepted === undefined) {
      if (strict) throw breakdown(undefined, history);
      sums = fallback(kernel);
      const state = assess(kernel, sums);
      error = state.error;
      history.addSinkhorn("fallback", kernel.eta, error, state.f, cgSteps);
      continue;
    }
    if (!strict && accepted.alpha === 1) accepted = lengthen(kernel, origin, accepted);
    const { alpha } = accepted;
    sums = kernel.absorbLarge() ? kernel.evaluate() : accepted.sums;
    const state = assess(kernel, sums);
    error = state.error;
    history.add({
      stage: "newton",
      eta: kernel.eta,
      marginalError: error,
      f: state.f,
      alpha,
      cgSteps,
      kept: S.kept.entries,
      shift,
    });
    if (options.leaveWhenShort && alpha < SHORT && error > tol) return true;
    if (strict) continue;
    if (alpha >= 1) shift = shift / 10 < NO_SHIFT ? 0 : shift / 10;
    if (alpha === 1 && accepted.solved && error > origin.error / EXPECTED_FALL) {
      keep = Math.min(Math.ceil(GROWTH * keep), places * Math.min(kernel.n, kernel.m));
    }
    stalled = Math.abs(error - origin.error) <= STALLED * origin.error;
  }
  return false;
}

function keptEntries(kernel: GibbsKernel, newton: "sparse" | "full", keep: number): SparsePlan {
  const { n, m, rows } = kernel;
  const matrix = { n, m, stride: rows.stride, data: rows.plan };
  return newton === "full" ? keepAll(matrix) : keepLargest(matrix, keep);
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
function search(
  kernel: GibbsKernel,
  sums: PlanSums,
  g: Float64Array,
  { step, status }: NewtonSolution,
  { gauge, strict }: NewtonStageOptions,
): Accepted | undefined {
  const { n, u, v, eta } = kernel;
  if (gauge === "projected") project(step, n);
  const slope = dot(g, step);
  if (!(slope > 0 && slope < Infinity)) return undefined;
  // The augmented potential, times eta, is eta f - gap^2 / (2 eta); gap = sum u - sum v.
  const gapStep = gauge === "augmented" ? gapOf(step, n) : 0;
  const gap = gauge === "augmented" ? kernel.gap() : 0;
  const value = kernel.relativeLyapunov(u, v, sums.total);
  for (let alpha = 1; alpha >= (strict ? LEAST_ALPHA_STRICT : LEAST_ALPHA); alpha /= 2) {
    const nextU = u.map((value, i) => value + alpha * step[i]);
    const nextV = v.map((value, j) => value + alpha * step[n + j]);
    const trial = kernel.evaluate(nextU, nextV);
    const gain =
      kernel.relativeLyapunov(nextU, nextV, trial.total) -
      value -
      ((gap + alpha * gapStep) ** 2 - gap ** 2) / (2 * eta);
    const slack = SLACK * (1 + Math.abs(value));
    if (Number.isFinite(trial.total) && gain >= ARMIJO * alpha * slope - slack) {
      kernel.u = nextU;
      kernel.v = nextV;
      return { sums: trial, alpha, solved: status === "converged" };
    }
  }
  return undefined;
}

/**
 * Where entries of the plan must vanish, a Newton step takes no more than a factor e from them, as it does from exp(x)
 * with x -> -infinity. Such steps are doubled as long as each doubling at least halves the error, and f does not fall.
 */
function lengthen(kernel: GibbsKernel, origin: Origin, first: Accepted): Accepted {
  const { u, v } = kernel;
  let best = first;
  let { error } = assess(kernel, first.sums);
  const value = kernel.relativeLyapunov(u, v, first.sums.total);
  if (error <= origin.error / EXPECTED_FALL) return first;
  for (let alpha = 2; alpha <= MOST_ALPHA; alpha *= 2) {
    const nextU = origin.u.map((from, i) => from + alpha * (u[i] - from));
    const nextV = origin.v.map((from, j) => from + alpha * (v[j] - from));
    const sums = kernel.evaluate(nextU, nextV);
    const next = assess(kernel, sums).error;
    const gain = kernel.relativeLyapunov(nextU, nextV, sums.total) - value;
    if (!(next < error / 2 && gain >= -SLACK * (1 + Math.abs(value)))) {
      return { ...best, sums: kernel.evaluate() };
    }
    best = { ...first, sums, alpha };
    error = next;
    kernel.u = nextU;
    kernel.v = nextV;
  }
  return best;
}

/** One Sinkhorn iteration in place of a Newton step. */
function fallback(kernel: GibbsKernel): PlanSums {
  const { u, v } = kernel.sinkhornPass();
  kernel.u = u;
  kernel.v = v;
  kernel.absorbLarge();
  return kernel.evaluate();
}

function breakdown(solution: NewtonSolution | undefined, { records }: History): ConvergenceError {
  const what =
    solution === undefined
      ? "a row or column of the plan has no mass left"
      : solution.status === "breakdown"
        ? "the thresholded Hessian is singular to working precision"
        : "no step length raises the potential";
  return new ConvergenceError(
    `sinkhornNewtonSparse: Newton step ${records.filter(({ stage }) => stage === "newton").length + 1} broke down: ${what}. ` +
      "Leave strict out, keep more entries (keepPerRow), or take more Sinkhorn iterations first (n1)",
  );
}
