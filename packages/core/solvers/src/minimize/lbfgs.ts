import { requireInteger } from "@offprint/tensor-core";
import { askWolfe } from "../line-search/wolfe-search.js";
import { addScaled, dot, norm } from "../linear/vector-arithmetic.js";
import { type CurvaturePair, curvaturePair } from "./curvature-pair.js";
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

/** What L-BFGS has of its own. */
export interface LbfgsSettings extends MinimizerSettings {
  /** Pairs of steps and gradient changes remembered (default 10). */
  readonly memory?: number;
}

/** Options of {@link minimizeLbfgs}. */
export interface LbfgsOptions extends MinimizerOptions, LbfgsSettings {}

interface LbfgsState extends SmoothState {
  /** The last pairs of steps and gradient changes, the oldest first. */
  readonly pairs: readonly CurvaturePair[];
}

/**
 * Minimises a smooth function by L-BFGS (Liu and Nocedal 1989) with a strong Wolfe line search. Values that are not
 * finite inside a line search are stepped back from.
 *
 * @param objective - Of a vector: writes its gradient and returns its value. Of a tree of tensors: gives
 * `[value, gradient]`, such as `valueAndGrad(f)` or `jit(valueAndGrad(f))`. Either may be asynchronous.
 * @param initial - First iterate; `f` must be finite there.
 * @throws ValueError for options out of range and an `initial` that is not finite; NonFiniteError where `f` is not there.
 * @example
 * const { x } = await minimizeLbfgs(valueAndGrad((w) => sum(square(sub(w, 3)))), tensor([0, 0]));
 */
export async function minimizeLbfgs(
  objective: VectorObjective,
  initial: Float64Array | readonly number[],
  options?: LbfgsOptions,
): Promise<MinimizerResult<Float64Array>>;
export async function minimizeLbfgs<P>(
  objective: TreeObjective<P>,
  initial: P,
  options?: LbfgsOptions,
): Promise<MinimizerResult<P>>;
export async function minimizeLbfgs<P>(
  objective: VectorObjective | TreeObjective<P>,
  initial: P,
  options: LbfgsOptions = {},
): Promise<MinimizerResult<P>> {
  const owner = "minimizeLbfgs";
  return minimizeSmooth(lbfgsMethod(owner, options), owner, objective, initial, options);
}

/** {@link minimizeLbfgs} of a vector in one go, for problems that are over in a blink. */
export function minimizeLbfgsSync(
  objective: ObjectiveWithGradient,
  initial: Float64Array | readonly number[],
  options: LbfgsSettings = {},
): MinimizerResult {
  const owner = "minimizeLbfgsSync";
  return minimizeSmoothSync(lbfgsMethod(owner, options), owner, objective, initial, options);
}

function lbfgsMethod(owner: string, { memory = 10 }: LbfgsSettings) {
  requireInteger(owner, "memory", memory, 1);
  return (space: Pick<SearchSpace<unknown>, "round">): SmoothMethod<LbfgsState> => ({
    owner,
    options: ["memory"],
    begin: (point) => ({ ...point, pairs: [] }),
    check: ({ pairs }) => Array.isArray(pairs),
    *step(state, { maxEvaluations, rounding }) {
      let { pairs } = state;
      let direction = quasiNewtonDirection(state.gradient, pairs);
      let slope = dot(direction, state.gradient);
      if (!(slope < 0)) {
        pairs = [];
        direction = state.gradient.map((g) => -g);
        slope = -dot(state.gradient, state.gradient);
      }
      const firstStep = pairs.length === 0 ? Math.min(1, 1 / norm(state.gradient)) : 1;
      const search = askWolfe<Trial>({ value: state.objective, slope }, { firstStep, maxEvaluations, rounding });
      const { found, evaluations } = yield* searchAlong(state, space, direction, search);
      if (found === undefined) {
        // The remembered curvature may be what misleads: one more try from steepest descent.
        const iteration = state.iteration + 1;
        return { ...state, iteration, evaluations, pairs: [], inaccurate: pairs.length === 0 };
      }
      const pair = curvaturePair(state, found);
      const kept = pair === undefined ? pairs : [...pairs, pair].slice(-memory);
      return { ...movedTo(state, found, evaluations), pairs: kept };
    },
  });
}

/** `-H g` by the two-loop recursion (Nocedal 1980). */
function quasiNewtonDirection(gradient: Float64Array, pairs: readonly CurvaturePair[]): Float64Array {
  const q = gradient.slice();
  const alpha = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { step, change, curvature } = pairs[k];
    alpha[k] = dot(step, q) / curvature;
    addScaled(q, -alpha[k], change);
  }
  if (pairs.length > 0) {
    const { curvature, square } = pairs[pairs.length - 1];
    for (let i = 0; i < q.length; i++) q[i] *= curvature / square;
  }
  for (let k = 0; k < pairs.length; k++) {
    const { step, change, curvature } = pairs[k];
    addScaled(q, alpha[k] - dot(change, q) / curvature, step);
  }
  for (let i = 0; i < q.length; i++) q[i] = -q[i];
  return q;
}
