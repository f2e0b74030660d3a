import type { TensorLike } from "@offprint/tensor-core";
import { type AdaSketchOptions, adaSketchNewton, type EqualityProblem } from "../src/index.js";

/** What claims look at. */
export interface Outcome {
  readonly status: string;
  readonly objective: number;
  readonly kkt: number;
  readonly iterations: number;
  readonly history: readonly { readonly kkt: number; readonly stepSize: number; readonly innerSteps: number }[];
}

/** What a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = (problem: EqualityProblem, initial: TensorLike, options: AdaSketchOptions) => Promise<Outcome>;

/** The method itself. */
export const published: Method = (problem, initial, options) => adaSketchNewton(problem, initial, options);

/** The KKT residual after each iteration, as a curve. */
export function residualCurve(name: string, { history }: Outcome) {
  return { name, x: history.map((_, k) => k + 1), y: history.map(({ kkt }) => Math.max(kkt, 1e-17)) };
}
