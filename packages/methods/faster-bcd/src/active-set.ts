import { checkOptions, requireNonNegative, requirePositive, type TensorLike, ValueError } from "@offprint/tensor-core";
import { vectorOf } from "./numbers.js";
import { numbersFrom } from "./objectives/callback-state.js";
import type { BcdProblem } from "./options.js";
import { readProblem } from "./settings.js";

/** The variables that stay where they are pinned near an optimum. */
export interface ActiveSetAt {
  /** Z: variables on a bound or at a kink with -grad_i f(x) strictly inside the subdifferential of h_i. Ascending. */
  readonly indices: Int32Array;
  /** delta: how deep inside, at least; Infinity where Z is empty. */
  readonly delta: number;
}

/**
 * The active set Z and its margin delta at an optimum.
 * @param x `[n]` the optimum
 * @throws ValueError, ShapeError for what is no problem, and an x outside its bounds.
 */
export function activeSet(problem: BcdProblem, x: TensorLike): ActiveSetAt {
  const { objective: smooth, separable } = readProblem("activeSet", problem);
  const point = vectorOf("activeSet", "x", x, { length: smooth.n });
  separable.requireInside("activeSet", "x", point);
  const g = numbersFrom("gradient", smooth.gradient(point), smooth.n);
  let delta = Infinity;
  const indices = Int32Array.from(point.keys()).filter((i) => {
    if (!separable.pinned(i, point[i])) return false;
    const depth = separable.depth(i, point[i], g[i]);
    if (!(depth > 0)) return false;
    delta = Math.min(delta, depth);
    return true;
  });
  return { indices, delta };
}

/**
 * Iterations after which the proximal gradient method with the step 1/L has identified the active set:
 * (L/mu) log(2 L ||x0 - x*|| / delta), and at least 0.
 * @param problem.L Lipschitz constant of the gradient
 * @param problem.mu strong convexity, > 0
 * @param problem.delta margin of the active set
 * @param problem.dist0 ||x0 - x*||
 * @throws ValueError for numbers out of range.
 */
export function activeSetBound(problem: { L: number; mu: number; delta: number; dist0: number }): number {
  const owner = "activeSetBound";
  checkOptions(owner, problem, ["L", "mu", "delta", "dist0"], ["L", "mu", "delta", "dist0"]);
  const { L, mu, delta, dist0 } = problem;
  requirePositive(owner, "L", L);
  requirePositive(owner, "mu", mu);
  if (mu > L * (1 + 1e-9))
    throw new ValueError(`${owner}: mu is ${mu} and L ${L}; no function is more convex than its gradient changes`);
  if (!(delta > 0)) throw new ValueError(`${owner}: delta is ${delta}; it must be > 0`);
  requireNonNegative(owner, "dist0", dist0);
  return dist0 === 0 ? 0 : Math.max(0, (L / mu) * Math.log((2 * L * dist0) / delta));
}
