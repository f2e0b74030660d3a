import { requireObject, type TensorLike, ValueError } from "@offprint/tensor-core";
import { vectorOf } from "./numbers.js";
import { numbersFrom } from "./objectives/callback-state.js";
import type { BcdProblem } from "./options.js";
import { Separable } from "./separable.js";

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
 */
export function activeSet(problem: BcdProblem, x: TensorLike): ActiveSetAt {
  requireObject("activeSet", "problem", problem, "{ smooth }");
  const { smooth, composite } = problem;
  const point = vectorOf("activeSet", "x", x, { length: smooth.n });
  const separable = new Separable("activeSet", composite ?? { kind: "none" }, smooth.n);
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
 */
export function activeSetBound(problem: { L: number; mu: number; delta: number; dist0: number }): number {
  requireObject("activeSetBound", "problem", problem, "{ L, mu, delta, dist0 }");
  for (const name of ["L", "mu", "delta"] as const) {
    if (!(problem[name] > 0)) throw new ValueError(`activeSetBound: ${name} is ${problem[name]}; it must be > 0`);
  }
  const { L, mu, delta, dist0 } = problem;
  if (!(dist0 >= 0)) throw new ValueError(`activeSetBound: dist0 is ${dist0}; it must be >= 0`);
  return dist0 === 0 ? 0 : Math.max(0, (L / mu) * Math.log((2 * L * dist0) / delta));
}
