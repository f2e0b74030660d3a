import type { LinearParams } from "@offprint/nn";
import {
  add,
  checkOptions,
  mean,
  mul,
  requireNonNegative,
  sigmoid,
  type Tensor,
  take,
  zeros,
} from "@offprint/tensor-core";
import type { BilevelProblem } from "../problem.js";
import { type ExampleNumbers, squaredNorm } from "./learner.js";
import {
  readSupervised,
  type SupervisedData,
  type SupervisedOptions,
  supervisedOptionNames,
} from "./supervised-options.js";

/** Options of {@link dataCleaning}. */
export interface DataCleaningOptions<P> extends SupervisedOptions<P> {
  /** mu: weight of half the squared norm of the parameters, >= 0; keeps the lower level strongly convex. Default 0.01. */
  readonly weightDecay?: number;
}

/**
 * Which training examples are to be trusted? x has a number for each, `[n]`, and its weight is `sigmoid(x)`; y are the
 * parameters of a model that minimise the weighted training loss; the validation examples, which must be clean, say
 * how good they are. An example that harms the model gets a small weight.
 * @throws ShapeError, ValueError for data and options that are none.
 */
export function dataCleaning<P = LinearParams>(
  data: SupervisedData,
  options: DataCleaningOptions<P> = {},
): BilevelProblem<Tensor, P, ExampleNumbers> {
  const owner = "dataCleaning";
  checkOptions(owner, options, [...supervisedOptionNames, "weightDecay"]);
  const { weightDecay = 0.01 } = options;
  requireNonNegative(owner, "weightDecay", weightDecay);
  const { train, validation, model, loss, initial, batchSize } = readSupervised(owner, data, options);
  return {
    initial: { x: zeros([train.size], train.inputs.dtype), y: initial },
    upper(_, params, numbers) {
      const { inputs, targets } = validation.at(numbers);
      return mean(loss(model.apply(params, inputs), targets));
    },
    lower(x, params, numbers) {
      const { inputs, targets } = train.at(numbers);
      const weighted = mul(sigmoid(take(x, numbers)), loss(model.apply(params, inputs), targets));
      return add(mean(weighted), mul(squaredNorm(params), weightDecay / 2));
    },
    full: { upper: validation.all, lower: train.all },
    ...(batchSize !== undefined && {
      sample: {
        upper: (rng) => validation.draw(rng, batchSize),
        lower: (rng) => train.draw(rng, batchSize),
      },
    }),
  };
}
