import { type ClaimContext, memo } from "@offprint/claims";
import { type Boosted, type FitOptions, fitClassifier, fitRegressor } from "../src/index.js";
import { classes, type Problem } from "./problems.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Learns numbers. */
  readonly regressor: typeof fitRegressor;
  /** Learns classes. */
  readonly classifier: typeof fitClassifier;
}

/** The method of the paper. */
export const gbnn: Method = { regressor: fitRegressor, classifier: fitClassifier };

/** Splits that means are taken over. */
export const SPLITS = { quick: 3, full: 5 } as const;

/** eta of all claims; the library's own default of 1 is unstable. */
const ETA = 0.1;

/** Fits a network to numbers as in the claims on Friedman's function. */
export function fitNumbers(method: Method, problem: Problem, seed: number, options: FitOptions): Promise<Boosted> {
  return method.regressor(problem.inputs, problem.targets, {
    unitsPerStep: 3,
    learningRate: ETA,
    subsample: 1,
    seed,
    ...options,
  });
}

/** Fits a network to classes as in the claims on tables. */
export function fitClasses(method: Method, problem: Problem, seed: number, options: FitOptions = {}): Promise<Boosted> {
  return method.classifier(problem.inputs, problem.targets, {
    totalUnits: 60,
    learningRate: ETA,
    subsample: 0.5,
    seed,
    ...options,
  });
}

/** A network that is fitted to a split of the breast cancer data, once for all claims that look at it. */
export const cancerNetwork = memo(async (_: ClaimContext, method: Method, seed: number) => {
  const problem = classes("breast cancer", seed);
  const { model } = await fitClasses(method, problem, seed);
  return { problem, model };
});
