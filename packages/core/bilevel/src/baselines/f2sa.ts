import {
  linalg,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { type BilevelResult, type BilevelRunOptions, checkBilevelOptions, runBilevel } from "../bilevel-run.js";
import { compiledPhase } from "../compiled-phase.js";
import { type DescentOptions, descentOptionNames, descentRates, lowerDescent, refinementBy } from "../lower-descent.js";
import { addCounts } from "../oracle-counts.js";
import type { BilevelProblem } from "../problem.js";
import { VectorProblem } from "../vector-problem.js";
import { minus, plus } from "../vector-steps.js";

/** What F2SA keeps beside x and y. */
export interface F2saKept {
  /** The minimiser of the lower function alone, `[dy]`. */
  readonly z: Tensor;
}

/** Options of {@link f2sa}. */
export interface F2saOptions<X, Y> extends DescentOptions, BilevelRunOptions<X, Y, F2saKept> {
  /** Steps on y and on z in each iteration. Default 1. */
  readonly lowerSteps?: number;
  /** The multiplier lambda of the lower function at the first iteration, > 0. Default 1. */
  readonly multiplier?: number;
  /** What the multiplier grows by in each iteration, >= 0. Default 0.01. */
  readonly multiplierIncrement?: number;
}

const names = [...descentOptionNames, "lowerSteps", "multiplier", "multiplierIncrement"];

/**
 * F2SA (Kwon, Kwon, Wright and Nowak 2023), with first derivatives alone: z follows the minimiser of G, y that of
 * `F + lambda G`, and x moves along `grad_x F(x, y) + lambda (grad_x G(x, y) - grad_x G(x, z))` while lambda grows. The
 * step of y is divided by lambda, so that it fits the curvature throughout.
 * @throws NonFiniteError, with the last good state, where it diverges; ValueError for options out of range.
 */
export async function f2sa<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  options: F2saOptions<X, Y>,
): Promise<BilevelResult<X, Y, F2saKept>> {
  const owner = "f2sa";
  checkBilevelOptions(owner, options, names);
  const { lowerSteps = 1, multiplier = 1, multiplierIncrement = 0.01, refinementSteps = 0 } = options;
  requireInteger(owner, "lowerSteps", lowerSteps, 1);
  requireInteger(owner, "refinementSteps", refinementSteps, 0);
  requirePositive(owner, "multiplier", multiplier);
  requireNonNegative(owner, "multiplierIncrement", multiplierIncrement);
  const { upperStep, lowerStep } = descentRates(owner, options);
  const vectors = new VectorProblem(owner, problem);
  const descend = lowerDescent(vectors);
  const pulled = compiledPhase(
    vectors,
    "f2sa: pulled",
    (d, x: Tensor, y: Tensor, stepSize: Tensor, inverse: Tensor, upper: U, lower: L) =>
      vectors.projectY(minus(y, stepSize, plus(d.gradYG(x, y, lower), inverse, d.gradYF(x, y, upper)))),
  );
  const ascend = compiledPhase(
    vectors,
    "f2sa: ascend",
    (d, x: Tensor, y: Tensor, z: Tensor, stepSize: Tensor, lambda: Tensor, upper: U, lower: L) => {
      const difference = minus(d.gradXG(x, y, lower), 1, d.gradXG(x, z, lower));
      const direction = plus(d.gradXF(x, y, upper), lambda, difference);
      return { x: vectors.projectX(minus(x, stepSize, direction)), norm: linalg.norm(direction) };
    },
  );
  return runBilevel<X, Y, U, L, F2saKept>(
    vectors,
    {
      begin: (_, y) => ({ z: y }),
      refinement: {
        ...refinementBy<U, L, F2saKept>(descend, refinementSteps, lowerStep(1)),
        step({ x, y }, draw) {
          const next = descend(x, y, lowerStep(1), draw.lower());
          return { y: next, extra: { z: next }, cost: descend.cost };
        },
      },
      iterate({ x, y: before, extra }, iteration, draw) {
        const lambda = multiplier + multiplierIncrement * (iteration - 1);
        const [factor, inverse] = [lambda, 1 / lambda].map((value) => tensor(value, { dtype: "float64" }));
        const step = lowerStep(iteration);
        let [y, z] = [before, extra.z];
        for (let t = 0; t < lowerSteps; t++) {
          z = descend(x, z, step, draw.lower());
          y = pulled(x, y, step, inverse, draw.upper(), draw.lower());
        }
        const moved = ascend(x, y, z, upperStep(iteration), factor, draw.upper(), draw.lower());
        const inner = addCounts(descend.cost, pulled.cost);
        const cost = addCounts(ascend.cost, inner, lowerSteps);
        return { x: moved.x, y, extra: { z }, hypergradientNorm: moved.norm, cost };
      },
    },
    options,
  );
}
