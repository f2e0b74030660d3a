import { type Rate, rateTensors } from "@offprint/bilevel";
import { type Figures, type RunOptions, runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { LvHbaRecord, LvHbaState } from "./lv-hba.js";

/** Options of `lvHba`. */
export interface LvHbaOptions<X, Y> extends RunOptions<LvHbaRecord, LvHbaState> {
  /** Iterations at most. */
  readonly maxIterations: number;
  /**
   * Step of x and y, > 0; slower than the saddle point's iteration, about `eta / gamma1`. Default 0.05; in iteration k
   * `0.05 / sqrt(k)` where the problem draws batches.
   */
  readonly alpha?: Rate;
  /** Step of x alone, where `projectJointly` treats x and y apart. Default `alpha`. */
  readonly alphaX?: Rate;
  /** Step of z, the centre of the multipliers, > 0. Default 0.1. */
  readonly beta?: Rate;
  /** Step of the saddle point's iteration, > 0; below `2 mu / (mu^2 + sigma^2)` with mu = 1/gamma and sigma the norm of the constraints' slopes. Default 0.1; `0.1 / sqrt(k)` where the problem draws batches. */
  readonly eta?: Rate;
  /** Proximal weight of y, > 0; below 1/rho where the lower function is only rho-weakly convex. Default 10. */
  readonly gamma1?: number;
  /** Proximal weight of the multipliers, > 0. Default 10. */
  readonly gamma2?: number;
  /** c of the penalty `c_k = c (k + 1)^p`, > 0. Default 2. */
  readonly c?: number;
  /** p of the penalty, in (0, 1); the paper's bounds are for p below 1/2. Large: the lower level is solved sooner; small: the upper. Default 0.3. */
  readonly p?: number;
  /** The penalty by iteration (from 0), in place of c and p; infinity leaves the upper function out. */
  readonly penalty?: (k: number) => number;
  /** Bound of the multipliers, > 0, of the scaled constraints. Default 1e4. */
  readonly r?: number;
  /** Divides the constraints by the norm of their slopes in y, by nothing, or by numbers of your own, one for each. Default `auto`. */
  readonly scaleConstraints?: "auto" | "none" | readonly number[];
  /** Steps of the saddle point's iteration in each of the method's; many make it the double-loop method. Default 1. */
  readonly saddleSteps?: number;
  /** Iterations between two evaluations of gap and residual, which solve for the saddle point. Default never. */
  readonly checkEvery?: number;
  /** Converged where an evaluation finds the residual at most this; and the two below. Default never. */
  readonly tolerance?: number;
  /** And the violation of the constraints at most this. Default 1e-8. */
  readonly feasibilityTolerance?: number;
  /** And the lower level's gap at most this. Default 1e-4. */
  readonly gapTolerance?: number;
  /** Where the saddle point and the multipliers' centre begin: y, 0 and 0 unless told; multipliers as `solveLowerProgramme` gives them. */
  readonly initial?: { readonly theta?: Y; readonly lambda?: TensorLike; readonly z?: TensorLike };
  /** Decides which batches are drawn, where the problem draws any. Default 0. */
  readonly seed?: number | string;
  /** Figures of x and y to record after each iteration. */
  readonly evaluate?: (point: { readonly x: X; readonly y: Y }, iteration: number) => Figures;
}

const names = [
  ...[
    "maxIterations",
    "alpha",
    "alphaX",
    "beta",
    "eta",
    "gamma1",
    "gamma2",
    "c",
    "p",
    "penalty",
    "r",
    "scaleConstraints",
  ],
  ...["saddleSteps", "checkEvery", "tolerance", "feasibilityTolerance", "gapTolerance", "initial", "seed", "evaluate"],
  ...runOptionNames,
];

/**
 * Reads and checks the options.
 * @param drawn - Whether the problem draws batches, so that steps must fall.
 * @throws ValueError
 */
export function readOptions<X, Y>(owner: string, options: LvHbaOptions<X, Y>, drawn = false) {
  if (options === undefined) throw new ValueError(`${owner}: options are missing; give { maxIterations, ... }`);
  checkOptions(owner, options, names);
  const {
    maxIterations,
    alpha = falling(0.05, drawn),
    beta = 0.1,
    eta = falling(0.1, drawn),
    gamma1 = 10,
    gamma2 = 10,
    c = 2,
    p = 0.3,
    r = 1e4,
  } = options;
  const { scaleConstraints = "auto", saddleSteps = 1, checkEvery, tolerance, penalty, evaluate } = options;
  const { feasibilityTolerance = 1e-8, gapTolerance = 1e-4, seed = 0 } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireInteger(owner, "saddleSteps", saddleSteps, 1);
  if (checkEvery !== undefined) requireInteger(owner, "checkEvery", checkEvery, 1);
  for (const [name, value] of Object.entries({ gamma1, gamma2, c, r })) requirePositive(owner, name, value);
  requireNonNegative(owner, "feasibilityTolerance", feasibilityTolerance);
  requireNonNegative(owner, "gapTolerance", gapTolerance);
  if (tolerance !== undefined) requireNonNegative(owner, "tolerance", tolerance);
  if (!(p > 0 && p < 1))
    throw new ValueError(`${owner}: p is ${String(p)}; it must be in (0, 1), for the paper's bounds below 1/2`);
  if (!Array.isArray(scaleConstraints)) requireChoice(owner, "scaleConstraints", scaleConstraints, ["auto", "none"]);
  if (evaluate !== undefined && typeof evaluate !== "function") {
    throw new ValueError(`${owner}: evaluate must be a function of { x, y }, got ${typeof evaluate}`);
  }
  const penaltyAt = penalty ?? ((k: number) => c * (k + 1) ** p);
  if (typeof penaltyAt !== "function") throw new ValueError(`${owner}: penalty must be a function of the iteration`);
  return {
    ...{ maxIterations, gamma1, gamma2, p, r, scaleConstraints, saddleSteps, checkEvery, tolerance, evaluate, seed },
    ...{ feasibilityTolerance, gapTolerance },
    inversePenalty(k: number): number {
      const value = penaltyAt(k);
      if (value > 0) return 1 / value;
      throw new ValueError(`${owner}: penalty(${k}) is ${value}; it must be > 0`);
    },
    alpha: rateTensors(owner, "alpha", alpha),
    alphaX: rateTensors(owner, "alphaX", options.alphaX ?? alpha),
    beta: rateTensors(owner, "beta", beta),
    eta: rateTensors(owner, "eta", eta),
  };
}

/** A step that is not given: batches are noisy, so that it falls with them. */
function falling(first: number, drawn: boolean): Rate {
  return drawn ? (iteration) => first / Math.sqrt(iteration) : first;
}
