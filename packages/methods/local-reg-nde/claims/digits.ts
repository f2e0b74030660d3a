import { type ClaimContext, memo } from "@offprint/claims";
import { digits } from "@offprint/datasets";
import {
  type DigitsOdeParameters,
  digitImages,
  digitsOde,
  type Effort as EffortOfOne,
  type Outcome,
} from "@offprint/ode/testing";
import { random } from "@offprint/tensor-core";
import type { FitLocallyOptions } from "../src/index.js";
import type { Method } from "./method.js";

/** How much is trained. */
export interface Effort extends EffortOfOne {
  /** Trainings of each kind. */
  readonly runs: number;
}

/** How much, at either scale. */
export const efforts: Record<ClaimContext["scale"], Effort> = {
  quick: { train: 600, test: 597, batch: 20, epochs: 4, runs: 1 },
  full: { train: 1200, test: 597, batch: 100, epochs: 14, runs: 2 },
};

/** What trainings differ in. */
export type Variant = Pick<FitLocallyOptions<DigitsOdeParameters>, "mode" | "lambda" | "regularize" | "localStep">;

/** Trains on the digits, and predicts the images held out as one batch; once for all claims that look at it. */
export const trained = memo(
  async (
    { signal }: ClaimContext,
    method: Method,
    name: string,
    effort: Effort,
    variant: Variant,
  ): Promise<Outcome> => {
    const { batches, test } = digitImages(digits({ dtype: "float64" }), effort);
    const initial = digitsOde.initial(random.rng(`${name}/weights`));
    const { params } = await method.fitLocally(digitsOde.model, initial, batches, {
      ...digitsOde.options(effort, name),
      adjoint: "discrete",
      signal,
      ...variant,
    });
    return digitsOde.judge(params, test);
  },
  (method, name, effort, variant) => [method, name, JSON.stringify([effort, variant])],
);
