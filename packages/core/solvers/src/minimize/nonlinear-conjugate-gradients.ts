import { requireChoice } from "@offprint/tensor-core";
import { askWolfe } from "../line-search/wolfe-search.js";
import { dot, norm } from "../linear/vector-arithmetic.js";
import { movedTo, searchAlong, type Trial } from "./search-along.js";
import type { ObjectiveWithGradient, SearchSpace, TreeObjective, VectorObjective } from "./search-space.js";
import {
  type MinimizerOptions,
  type MinimizerResult,
  type MinimizerSettings,
  minimizeSmooth,
  minimizeSmoothSync,
  type SmoothMethod,
  type SmoothState,
} from "./smooth-minimizer.js";

/** How much of the last direction the next one keeps. */
export type ConjugacyFormula = "hager-zhang" | "polak-ribiere";

/** What nonlinear conjugate gradients have of their own. */
export interface ConjugateSettings extends MinimizerSettings {
  /**
   * `"hager-zhang"` (default; Hager and Zhang 2005, a direction of descent whatever the line search) or
   * `"polak-ribiere"` with its negative values cut off (Gilbert and Nocedal 1992).
   */
  readonly formula?: ConjugacyFormula;
}

/** Options of {@link nonlinearConjugateGradients}. */
export interface ConjugateOptions extends MinimizerOptions, ConjugateSettings {}

interface ConjugateState extends SmoothState {
  readonly direction: Float64Array;
  /** Length of the last step times the slope it began with: what the first trial of the next one goes by. */
  readonly fall: number;
}

/**
 * Minimises a smooth function by nonlinear conjugate gradients with a strong Wolfe line search: three vectors of memory.
 *
 * @param objective - As for `minimizeLbfgs`.
 * @param initial - First iterate; `f` must be finite there.
 * @throws ValueError for options out of range and an `initial` that is not finite; NonFiniteError where `f` is not there.
 */
export async function nonlinearConjugateGradients(
  objective: VectorObjective,
  initial: Float64Array | readonly number[],
  options?: ConjugateOptions,
): Promise<MinimizerResult<Float64Array>>;
export async function nonlinearConjugateGradients<P>(
  objective: TreeObjective<P>,
  initial: P,
  options?: ConjugateOptions,
): Promise<MinimizerResult<P>>;
export async function nonlinearConjugateGradients<P>(
  objective: VectorObjective | TreeObjective<P>,
  initial: P,
  options: ConjugateOptions = {},
): Promise<MinimizerResult<P>> {
  const owner = "nonlinearConjugateGradients";
  return minimizeSmooth(conjugateMethod(owner, options), owner, objective, initial, options);
}

/** {@link nonlinearConjugateGradients} of a vector in one go, for problems that are over in a blink. */
export function nonlinearConjugateGradientsSync(
  objective: ObjectiveWithGradient,
  initial: Float64Array | readonly number[],
  options: ConjugateSettings = {},
): MinimizerResult {
  const owner = "nonlinearConjugateGradientsSync";
  return minimizeSmoothSync(conjugateMethod(owner, options), owner, objective, initial, options);
}

/** A line search as exact as conjugacy wants it. */
const CURVATURE = 0.1;

function conjugateMethod(owner: string, { formula = "hager-zhang" }: ConjugateSettings) {
  requireChoice(owner, "formula", formula, ["hager-zhang", "polak-ribiere"]);
  const beta = formula === "hager-zhang" ? hagerZhang : polakRibiere;
  return (space: Pick<SearchSpace<unknown>, "round">): SmoothMethod<ConjugateState> => ({
    owner,
    options: ["formula"],
    begin: (point) => ({ ...point, direction: point.gradient.map((g) => -g), fall: 0 }),
    check: ({ direction, x }) => direction instanceof Float64Array && direction.length === x?.length,
    *step(state, { maxEvaluations, rounding }) {
      const { gradient } = state;
      let { direction } = state;
      let slope = dot(direction, gradient);
      const restarted = !(slope < 0) || state.fall === 0;
      if (!(slope < 0)) {
        direction = gradient.map((g) => -g);
        slope = -dot(gradient, gradient);
      }
      const firstStep = restarted ? Math.min(1, 1 / norm(gradient)) : state.fall / slope;
      const limits = { firstStep, curvature: CURVATURE, maxEvaluations, rounding };
      const search = askWolfe<Trial>({ value: state.objective, slope }, limits);
      const { found, evaluations } = yield* searchAlong(state, space, direction, search);
      if (found === undefined) {
        const steepest = gradient.map((g) => -g);
        const iteration = state.iteration + 1;
        return { ...state, iteration, evaluations, direction: steepest, fall: 0, inaccurate: restarted };
      }
      const kept = beta(direction, gradient, found.gradient);
      const next = found.gradient.map((g, i) => kept * direction[i] - g);
      return { ...movedTo(state, found, evaluations), direction: next, fall: found.step * slope };
    },
  });
}

/** `max(0, y . g' / g . g)` with the gradients `g` and `g'` and their difference `y`. */
function polakRibiere(_: Float64Array, before: Float64Array, after: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < after.length; i++) sum += (after[i] - before[i]) * after[i];
  return Math.max(0, sum / dot(before, before));
}

/** Hager and Zhang 2005, eq. 1.3 to 1.6, with their eta 0.01. */
function hagerZhang(d: Float64Array, before: Float64Array, after: Float64Array): number {
  const y = after.map((g, i) => g - before[i]);
  const along = dot(d, y);
  if (along === 0) return 0;
  const factor = (2 * dot(y, y)) / along;
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += (y[i] - factor * d[i]) * after[i];
  return Math.max(sum / along, -1 / (norm(d) * Math.min(0.01, norm(before))));
}
