import { requireObject, type Tensor } from "@offprint/tensor-core";
import { type BilevelMethod, type Rate, rateTensors } from "./bilevel-run.js";
import { type CompiledPhase, compiledPhase } from "./compiled-phase.js";
import type { VectorProblem } from "./vector-problem.js";
import { minus } from "./vector-steps.js";

/** A step of stochastic gradient descent on y, compiled: `Proj(y - step grad_y G)`. */
export type LowerDescent<L> = CompiledPhase<[x: Tensor, y: Tensor, stepSize: Tensor, batch: L], Tensor>;

/** Compiles the step of {@link LowerDescent}. */
export function lowerDescent<X, Y, U, L>(vectors: VectorProblem<X, Y, U, L>): LowerDescent<L> {
  requireObject("lowerDescent", "vectors", vectors, "a VectorProblem");
  return compiledPhase(vectors, "lower: descent", (d, x: Tensor, y: Tensor, stepSize: Tensor, batch: L) =>
    vectors.projectY(minus(y, stepSize, d.gradYG(x, y, batch))),
  );
}

/** Plain stochastic gradient descent on y before the first iteration. */
export function refinementBy<U, L, E>(
  descend: LowerDescent<L>,
  steps: number,
  stepSize: Tensor,
): NonNullable<BilevelMethod<U, L, E>["refinement"]> {
  return {
    steps,
    step({ x, y, extra }, draw) {
      const next = descend(x, y, stepSize, draw.lower());
      return { y: next, extra, cost: descend.cost };
    },
  };
}

/** Options of a method that steps on x and on y. */
export interface DescentOptions {
  /** Step of x, > 0: the paper's learning rate of the upper level. */
  readonly stepSize: Rate;
  /** Step of y, > 0. */
  readonly lowerStepSize: Rate;
  /** Steps on y alone before the first iteration. Default 0. */
  readonly refinementSteps?: number;
}

/** The names of {@link DescentOptions}. */
export const descentOptionNames = ["stepSize", "lowerStepSize", "refinementSteps"] as const;

/** The steps as tensors. @throws ValueError for one that is not positive. */
export function descentRates(owner: string, { stepSize, lowerStepSize }: DescentOptions) {
  return {
    upperStep: rateTensors(owner, "stepSize", stepSize),
    lowerStep: rateTensors(owner, "lowerStepSize", lowerStepSize),
  };
}
