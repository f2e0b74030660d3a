import { meanOf } from "@offprint/claims";
import { digits } from "@offprint/datasets";
import {
  type DigitsOdeParameters,
  type DigitsSdeParameters,
  digitImages,
  digitsOde,
  digitsSde,
  type Effort,
  type Outcome,
} from "@offprint/ode/testing";
import { random } from "@offprint/tensor-core";
import type { FitOdeOptions, FitSdeOptions, fitOde, fitSde } from "../src/index.js";

/** What training gives. */
export interface Trained extends Outcome {
  /** Mean evaluations of a solve in training. */
  readonly trainingEvaluations: number;
}

type OdeVariant = Pick<FitOdeOptions<DigitsOdeParameters>, "regularize" | "lambda" | "steer" | "aggregate">;

/** Trains a neural ODE on the digits. */
export async function trainOde(
  method: typeof fitOde,
  seed: string,
  effort: Effort,
  variant: OdeVariant,
  signal?: AbortSignal,
): Promise<Trained> {
  const { batches, test } = digitImages(digits({ dtype: "float64" }), effort);
  const initial = digitsOde.initial(random.rng(`${seed}/weights`));
  const { params, history } = await method(digitsOde.model, initial, batches, {
    ...digitsOde.options(effort, seed),
    ...variant,
    ...(signal && { signal }),
  });
  const trainingEvaluations = meanOf(history.map(({ figures }) => figures?.evaluations ?? 0));
  return { ...digitsOde.judge(params, test), trainingEvaluations };
}

type SdeVariant = Pick<FitSdeOptions<DigitsSdeParameters>, "regularize" | "lambda" | "method">;

/** Trains a neural SDE on the digits. */
export async function trainSde(
  method: typeof fitSde,
  seed: string,
  effort: Effort,
  variant: SdeVariant,
  signal?: AbortSignal,
): Promise<Trained> {
  const { batches, test } = digitImages(digits({ dtype: "float64" }), effort);
  const initial = digitsSde.initial(random.rng(`${seed}/weights`));
  const { params, history } = await method(digitsSde.model, initial, batches, {
    ...digitsSde.options(effort, seed),
    ...variant,
    ...(signal && { signal }),
  });
  const trainingEvaluations = meanOf(history.map(({ evaluations }) => evaluations));
  return { ...(await digitsSde.judge(params, test, seed, variant.method)), trainingEvaluations };
}
