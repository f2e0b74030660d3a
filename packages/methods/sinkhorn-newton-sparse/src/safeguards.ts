import { ConvergenceError } from "@offprint/tensor-core";
import type { GibbsKernel, PlanSums } from "./gibbs-kernel.js";
import { type Assessment, assess } from "./marginal-error.js";
import { type NewtonStep, type NewtonStepOptions, newtonStep, SLACK } from "./newton-step.js";
import type { LinearSolver, NewtonSolution } from "./newton-system.js";
import type { SnsRecord } from "./record.js";

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
/** With full steps and solved systems the error must fall by this factor, or more entries are kept. */
const EXPECTED_FALL = 4;
const GROWTH = 1.5;

/** What the safeguards remember from one iteration to the next. */
export interface NewtonMemory {
  /** Entries kept. */
  readonly keep: number;
  /** Levenberg shift. */
  readonly shift: number;
  /** Whether the last step changed nothing. */
  readonly stalled: boolean;
  readonly linearSolver: LinearSolver;
}

/** Options of the second stage that do not change from step to step. */
export interface NewtonOptions extends Pick<NewtonStepOptions, "newton" | "gauge" | "cgMaxIterations"> {
  readonly cgTolerance: number | "adaptive";
  /** Takes the paper's steps as they are. */
  readonly strict: boolean;
}

/** An iteration of the second stage. */
export interface NewtonIteration extends Assessment {
  readonly sums: PlanSums;
  readonly memory: NewtonMemory;
  readonly did: Pick<SnsRecord, "stage" | "alpha" | "cgSteps" | "kept" | "shift">;
}

/**
 * A Newton step with what keeps it safe where the thresholded M is nearly singular: a Levenberg shift that grows until a
 * step is accepted, a Sinkhorn iteration where none is, longer steps where full ones turn out short, and more entries
 * where the error falls too slowly.
 *
 * @param sums of the plan at the kernel's potentials, which are moved
 * @param error marginal error there
 * @throws ConvergenceError where `strict` and a system or line search breaks down
 */
export function newtonIteration(
  kernel: GibbsKernel,
  sums: PlanSums,
  error: number,
  memory: NewtonMemory,
  options: NewtonOptions,
): NewtonIteration {
  const origin = { u: kernel.u, v: kernel.v, error };
  const { step, shift, linearSolver, cgSteps } = shifted(kernel, sums, error, memory, options);
  if (step?.sums === undefined) {
    if (options.strict) throw breakdown(step?.solution);
    const after = scalingInstead(kernel);
    const kept = { stage: "fallback" as const, alpha: 1, cgSteps, kept: 0, shift: 0 };
    return { ...after, memory: { keep: memory.keep, shift, stalled: false, linearSolver }, did: kept };
  }
  const { alpha, sums: reached } =
    !options.strict && step.alpha === 1 ? lengthened(kernel, origin, step.sums) : { ...step, sums: step.sums };
  const after = kernel.absorbLarge() ? kernel.evaluate() : reached;
  const state = assess(kernel, after);
  const did = { stage: "newton" as const, alpha, cgSteps, kept: step.kept, shift };
  if (options.strict) return { ...state, sums: after, memory: { ...memory, linearSolver }, did };
  const slow = alpha === 1 && step.solution.status === "converged" && state.error > error / EXPECTED_FALL;
  const next = {
    keep: slow ? Math.min(Math.ceil(GROWTH * memory.keep), kernel.n * kernel.m) : memory.keep,
    shift: alpha < 1 ? shift : shift / 10 < NO_SHIFT ? 0 : shift / 10,
    stalled: Math.abs(state.error - error) <= STALLED * error,
    linearSolver,
  };
  return { ...state, sums: after, memory: next, did };
}

/** Tries steps with growing shifts; none where a sum has underflowed or the step before changed nothing. */
function shifted(
  kernel: GibbsKernel,
  sums: PlanSums,
  error: number,
  memory: NewtonMemory,
  options: NewtonOptions,
): { step?: NewtonStep; shift: number; linearSolver: LinearSolver; cgSteps: number } {
  let { shift, linearSolver } = memory;
  let cgSteps = 0;
  const positive = sums.rows.every((sum) => sum > 0) && sums.columns.every((sum) => sum > 0);
  if (memory.stalled || !positive) return { shift, linearSolver, cgSteps };
  const { strict, cgTolerance } = options;
  let step: NewtonStep | undefined;
  for (let attempt = 0; attempt < (strict ? 1 : TRIES); attempt++) {
    step = newtonStep(kernel, sums, {
      ...options,
      keep: memory.keep,
      linearSolver,
      shift,
      cgTolerance: cgTolerance === "adaptive" ? Math.min(1e-2, error) : cgTolerance,
      leastAlpha: strict ? LEAST_ALPHA_STRICT : LEAST_ALPHA,
      acceptBreakdown: strict,
    });
    cgSteps += step.solution.cgSteps;
    // Systems become harder to solve from step to step.
    if (linearSolver === "auto" && step.solution.solver === "dense") linearSolver = "dense";
    if (step.sums !== undefined || strict) break;
    shift = Math.max(10 * shift, FIRST_SHIFT);
  }
  return { step, shift, linearSolver, cgSteps };
}

/**
 * Where entries of the plan must vanish, a Newton step takes no more than a factor e from them, as it does from exp(x)
 * with x -> -infinity. Such steps are doubled as long as each doubling at least halves the error, and f does not fall.
 */
function lengthened(
  kernel: GibbsKernel,
  origin: { readonly u: Float64Array; readonly v: Float64Array; readonly error: number },
  first: PlanSums,
): { alpha: number; sums: PlanSums } {
  const { u, v } = kernel;
  let best = { alpha: 1, sums: first };
  let { error } = assess(kernel, first);
  const value = kernel.relativeLyapunov(u, v, first.total);
  if (error <= origin.error / EXPECTED_FALL) return best;
  for (let alpha = 2; alpha <= MOST_ALPHA; alpha *= 2) {
    const nextU = origin.u.map((from, i) => from + alpha * (u[i] - from));
    const nextV = origin.v.map((from, j) => from + alpha * (v[j] - from));
    const sums = kernel.evaluate(nextU, nextV);
    const next = assess(kernel, sums).error;
    const gain = kernel.relativeLyapunov(nextU, nextV, sums.total) - value;
    // The matrix now holds the plan of the refused step: it is made anew.
    if (!(next < error / 2 && gain >= -SLACK * (1 + Math.abs(value)))) return { ...best, sums: kernel.evaluate() };
    best = { alpha, sums };
    error = next;
    kernel.u = nextU;
    kernel.v = nextV;
  }
  return best;
}

/** One Sinkhorn iteration in place of a Newton step. */
function scalingInstead(kernel: GibbsKernel): Assessment & { sums: PlanSums } {
  const { u, v } = kernel.sinkhornPass();
  kernel.u = u;
  kernel.v = v;
  kernel.absorbLarge();
  const sums = kernel.evaluate();
  return { ...assess(kernel, sums), sums };
}

function breakdown(solution: NewtonSolution | undefined): ConvergenceError {
  const what =
    solution === undefined
      ? "a row or column of the plan has no mass left"
      : solution.status === "breakdown"
        ? "the thresholded Hessian is singular to working precision"
        : "no step length raises the potential";
  return new ConvergenceError(
    `sinkhornNewtonSparse: a Newton step broke down: ${what}. Leave strict out, keep more entries (keepPerRow), or take ` +
      "more Sinkhorn iterations first (sinkhornIterations)",
  );
}
