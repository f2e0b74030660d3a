import { requireInteger, ValueError } from "@offprint/tensor-core";
import { askWolfe } from "../line-search/wolfe-search.js";
import { dot, norm } from "../linear/vector-arithmetic.js";
import { CompactHessian, type CurvatureMemory, noCurvature, remember } from "./compact-hessian.js";
import { curvaturePair } from "./curvature-pair.js";
import { CauchyPoint } from "./generalized-cauchy-point.js";
import type { LbfgsSettings } from "./lbfgs.js";
import { movedTo, searchAlong, type Trial } from "./search-along.js";
import type { ObjectiveWithGradient, SearchSpace, TreeObjective, VectorObjective } from "./search-space.js";
import {
  type MinimizerOptions,
  type MinimizerResult,
  minimizeSmooth,
  minimizeSmoothSync,
  readEach,
  type SmoothMethod,
  type SmoothState,
} from "./smooth-minimizer.js";
import { SubspaceMinimum } from "./subspace-minimum.js";

/** What L-BFGS-B has of its own. */
export interface LbfgsbSettings extends LbfgsSettings {
  /** Lower bounds, `[n]` or one for all; `-Infinity` where there is none (default). */
  readonly lower?: ArrayLike<number> | number;
  /** Upper bounds, `[n]` or one for all; `Infinity` where there is none (default). */
  readonly upper?: ArrayLike<number> | number;
}

/** Options of {@link minimizeLbfgsb}. */
export interface LbfgsbOptions extends MinimizerOptions, LbfgsbSettings {}

interface LbfgsbState extends SmoothState {
  readonly memory: CurvatureMemory;
}

/**
 * Minimises a smooth function over a box by L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995, with the projection of Morales and
 * Nocedal 2011): generalised Cauchy point, minimisation over the free variables, strong Wolfe line search. Every
 * evaluation is inside the box. The gradient norm of the test and history is that of the projected gradient,
 * `max |clip(x - g) - x|`.
 *
 * @param objective - As for `minimizeLbfgs`.
 * @param initial - First iterate; it is moved into the box. Bounds of a tree are in the order of its leaves.
 * @throws ShapeError; ValueError for crossed bounds, options out of range or a start that is not finite; NonFiniteError.
 */
export async function minimizeLbfgsb(
  objective: VectorObjective,
  initial: Float64Array | readonly number[],
  options?: LbfgsbOptions,
): Promise<MinimizerResult<Float64Array>>;
export async function minimizeLbfgsb<P>(
  objective: TreeObjective<P>,
  initial: P,
  options?: LbfgsbOptions,
): Promise<MinimizerResult<P>>;
export async function minimizeLbfgsb<P>(
  objective: VectorObjective | TreeObjective<P>,
  initial: P,
  options: LbfgsbOptions = {},
): Promise<MinimizerResult<P>> {
  const owner = "minimizeLbfgsb";
  return minimizeSmooth(lbfgsbMethod(owner, options), owner, objective, initial, options);
}

/** {@link minimizeLbfgsb} of a vector in one go, for problems that are over in a blink. */
export function minimizeLbfgsbSync(
  objective: ObjectiveWithGradient,
  initial: Float64Array | readonly number[],
  options: LbfgsbSettings = {},
): MinimizerResult {
  const owner = "minimizeLbfgsbSync";
  return minimizeSmoothSync(lbfgsbMethod(owner, options), owner, objective, initial, options);
}

function lbfgsbMethod(owner: string, options: LbfgsbSettings) {
  const { memory: most = 10 } = options;
  requireInteger(owner, "memory", most, 1);
  return (space: Pick<SearchSpace<unknown>, "round" | "start">): SmoothMethod<LbfgsbState> => {
    const n = space.start.length;
    const [lower, upper] = readBounds(owner, options, n);
    const clip = (x: Float64Array): void => {
      for (let i = 0; i < n; i++) x[i] = Math.min(Math.max(x[i], lower[i]), upper[i]);
    };
    clip(space.start);
    const cauchy = new CauchyPoint(n, most);
    const subspace = new SubspaceMinimum(n, most);
    return {
      owner,
      options: ["memory", "lower", "upper"],
      begin: (point) => ({ ...point, memory: noCurvature }),
      check: ({ memory }) => Array.isArray(memory?.pairs),
      gradientNorm(x, gradient) {
        // x - P(x - gradient), without a difference that would lose a gradient of another unit than x
        return gradient.reduce((largest, g, i) => {
          return Math.max(largest, Math.abs(Math.min(Math.max(g, x[i] - upper[i]), x[i] - lower[i])));
        }, 0);
      },
      *step(state, { maxEvaluations, rounding }) {
        const { x, gradient, memory } = state;
        const hessian = CompactHessian.of(memory);
        const direction = new Float64Array(n);
        cauchy.compute(x, gradient, lower, upper, hessian);
        subspace.compute(x, gradient, lower, upper, hessian, cauchy, direction);
        for (let i = 0; i < n; i++) direction[i] -= x[i];
        const slope = dot(direction, gradient);
        const firstStep = hessian.width === 0 ? Math.min(1, 1 / norm(direction)) : 1;
        const limits = { firstStep, maxStep: longestStep(x, direction, lower, upper), maxEvaluations, rounding };
        const search = askWolfe<Trial>({ value: state.objective, slope }, limits);
        const { found, evaluations } =
          slope < 0
            ? yield* searchAlong(state, space, direction, search, clip)
            : { found: undefined, evaluations: state.evaluations };
        if (found === undefined) {
          // The remembered curvature may be what misleads: one more try without it.
          const iteration = state.iteration + 1;
          return { ...state, iteration, evaluations, memory: noCurvature, inaccurate: memory.pairs.length === 0 };
        }
        const pair = curvaturePair(state, found);
        const kept = pair === undefined ? memory : remember(memory, pair, most);
        return { ...movedTo(state, found, evaluations), memory: kept };
      },
    };
  };
}

function readBounds(owner: string, options: LbfgsbSettings, n: number): [Float64Array, Float64Array] {
  const lower = readEach(owner, "lower", options.lower, n, Number.NEGATIVE_INFINITY);
  const upper = readEach(owner, "upper", options.upper, n, Number.POSITIVE_INFINITY);
  const crossed = lower.findIndex((low, i) => !(low <= upper[i]));
  if (crossed >= 0) {
    throw new ValueError(
      `${owner}: bounds cross at ${crossed}: lower ${lower[crossed]} must not exceed upper ${upper[crossed]}`,
    );
  }
  return [lower, upper];
}

function longestStep(x: Float64Array, direction: Float64Array, lower: Float64Array, upper: Float64Array): number {
  let longest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < x.length; i++) {
    if (direction[i] > 0) longest = Math.min(longest, (upper[i] - x[i]) / direction[i]);
    else if (direction[i] < 0) longest = Math.min(longest, (lower[i] - x[i]) / direction[i]);
  }
  // The direction ends inside the box, so a step of 1 is always allowed whatever rounding says.
  return Math.max(longest, 1);
}
