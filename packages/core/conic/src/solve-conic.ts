import { type Loop, type ProgrammeStatus, type RunState, runLoop } from "@offprint/solvers";
import { UnsupportedError } from "@offprint/tensor-core";
import { chooseMethod, operatorFits } from "./choose-method.js";
import {
  type ConicMethod,
  type ConicOptions,
  type ConicProgress,
  type ConicState,
  conicSettings,
} from "./conic-options.js";
import { type ConicDone, ConicRun, checkSaved, type SavedRun } from "./conic-run.js";
import { dataUnits, inUnits } from "./data-units.js";
import { equilibrate } from "./equilibration.js";
import { type ConicProblem, checkProblem } from "./problem.js";
import { type ConicResiduals, Termination } from "./termination.js";

/** Result of {@link solveConic}. */
export interface ConicResult {
  /**
   * `converged`: to the tolerance. `limit`: out of iterations. `inaccurate`: rounding ended it before. `infeasible` and
   * `unbounded` come with a certificate.
   */
  readonly status: ProgrammeStatus;
  /** The method of the last iteration. */
  readonly method: ConicMethod;
  /** `[n]`; for `unbounded` a ray with c^T x = -1; NaN for `infeasible`. */
  readonly x: Float64Array;
  /** `[m]` dual variable in K*; for `infeasible` the certificate with b^T y = -1; NaN for `unbounded`. */
  readonly y: Float64Array;
  /** `[m]` slack in K. */
  readonly s: Float64Array;
  /** 1/2 x^T P x + c^T x; Infinity if infeasible, -Infinity if unbounded. */
  readonly objective: number;
  /** -1/2 x^T P x - b^T y. */
  readonly dualObjective: number;
  /** Residuals of the unscaled problem. */
  readonly residuals: ConicResiduals;
  /** Iterations, of both methods together. */
  readonly iterations: number;
  /** One entry per check. */
  readonly history: readonly ConicProgress[];
  /** To go on from, as `resume`. */
  readonly state: ConicState;
}

/**
 * Minimises 1/2 x^T P x + c^T x subject to A x + s = b, s in K: by a primal-dual interior-point method, by operator
 * splitting with Anderson acceleration, or by the one that suits, both on the homogeneous self-dual embedding.
 * Deterministic. `s` lies in K and `y` in K* to rounding; the equations hold to the tolerance.
 *
 * @throws ShapeError and ValueError for a problem or options that make no sense; UnsupportedError for the interior-point
 * method on an operator that does not give its scaled normal matrix
 * @see Goulart and Chen, "Clarabel: An interior-point solver for conic programs with quadratic objectives", 2024;
 * O'Donoghue, "Operator splitting for a homogeneous embedding of the linear complementarity problem", 2021
 * @example
 * ```ts
 * import { solveConic } from "@offprint/conic";
 *
 * // maximise x1 + x2 with x1 + 2 x2 <= 4, 4 x1 + 2 x2 <= 12, x >= 0
 * const { objective } = await solveConic({
 *   A: [[1, 2], [4, 2], [-1, 0], [0, -1]],
 *   b: [4, 12, 0, 0],
 *   c: [-1, -1],
 *   cones: { l: 4 },
 * });
 * console.log(objective.toFixed(4)); // -3.3333
 * ```
 */
export async function solveConic(problem: ConicProblem, options: ConicOptions = {}): Promise<ConicResult> {
  const checked = checkProblem(problem);
  const settings = conicSettings(options, checked);
  const method = chooseMethod(checked, settings);
  if (method === "interior-point" && checked.operator !== undefined && !operatorFits(checked)) {
    throw new UnsupportedError(
      'solveConic: method "interior-point" takes an operator with scaledNormal, on nonnegative and semidefinite cones; ' +
        'give A as a matrix or take "splitting"',
    );
  }
  const units = dataUnits(checked);
  const told = inUnits(checked, units);
  const scaled = equilibrate(told, settings.normalize);
  const termination = new Termination(told, scaled, settings.tolerance, units);
  const context = { scaled, units, settings, method, termination, signal: options.signal };
  let active: ConicRun | undefined;
  const live = (inner: ConicRun | SavedRun): ConicRun => {
    active ??= inner instanceof ConicRun ? inner : new ConicRun(context, inner, options.resume?.iterations);
    return active;
  };
  const loop: Loop<ConicRun | SavedRun, ConicProgress, ConicDone> = {
    owner: "solveConic",
    limit: settings.maxIterations,
    initial: () => new ConicRun(context),
    step: (inner, iteration) => live(inner).step(iteration, iteration === settings.maxIterations),
    // An iteration that was given up counts for nothing.
    count: (inner) => live(inner).iterations,
    record: (inner) => live(inner).record,
    finished: (inner) => inner.status ?? undefined,
    snapshot: (inner) => (inner instanceof ConicRun ? inner.save() : inner),
    check: (inner) => checkSaved(inner as SavedRun, context),
  };
  const run = await runLoop(loop, runOptionsOf(options));
  const { status, iterations, history, state } = run;
  return { status, ...live(run.last).result(), iterations, history, state };
}

/** The options of the run; its states are opaque to callers. */
function runOptionsOf({ onProgress, signal, checkpoint, resume }: ConicOptions) {
  return { onProgress, signal, checkpoint, resume: resume as RunState<SavedRun, ConicProgress> | undefined };
}
