import type { LinearParams } from "@offprint/nn";
import {
  add,
  checkOptions,
  exp,
  mean,
  mul,
  requireChoice,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { BilevelProblem } from "../problem.js";
import type { ExampleNumbers } from "./learner.js";
import {
  readSupervised,
  type SupervisedData,
  type SupervisedOptions,
  supervisedOptionNames,
} from "./supervised-options.js";

/** Options of {@link hyperParameters}. */
export interface HyperParametersOptions<P> extends SupervisedOptions<P> {
  /** One strength for all parameters, or one for each tensor of them, in the order of `tree.paths`. Default `all`. */
  readonly per?: "all" | "tensor";
  /** The logarithm of the strengths at first. Default -2. */
  readonly initialLogStrength?: number;
}

/**
 * How strongly should a model be regularised? x holds the logarithms of the strengths of an l2 penalty, `[1]` or one for
 * each tensor; y are the parameters that minimise training loss plus `e^x |y|^2 / 2`; the validation loss says how good
 * they are.
 * @throws ShapeError, ValueError for data and options that are none.
 */
export function hyperParameters<P = LinearParams>(
  data: SupervisedData,
  options: HyperParametersOptions<P> = {},
): BilevelProblem<Tensor, P, ExampleNumbers> {
  const owner = "hyperParameters";
  checkOptions(owner, options, [...supervisedOptionNames, "per", "initialLogStrength"]);
  const { per = "all", initialLogStrength = -2 } = options;
  if (!Number.isFinite(initialLogStrength)) {
    throw new ValueError(`${owner}: initialLogStrength is ${String(initialLogStrength)}; give a finite number`);
  }
  requireChoice(owner, "per", per, ["all", "tensor"]);
  const { train, validation, model, loss, initial, batchSize } = readSupervised(owner, data, options);
  const count = per === "all" ? 1 : tree.leaves(initial).length;
  const first = tensor(new Float64Array(count).fill(initialLogStrength), { dtype: train.inputs.dtype });
  const penalty = (x: Tensor, params: P) =>
    tree
      .leaves<Tensor>(params)
      .map((leaf, i) => {
        const at = per === "all" ? 0 : i;
        return mul(mul(exp(sum(slice(x, [{ start: at, stop: at + 1 }]))), sum(square(leaf))), 0.5);
      })
      .reduce((a, b) => add(a, b));
  return {
    initial: { x: first, y: initial },
    upper(_, params, numbers) {
      const { inputs, targets } = validation.at(numbers);
      return mean(loss(model.apply(params, inputs), targets));
    },
    lower(x, params, numbers) {
      const { inputs, targets } = train.at(numbers);
      return add(mean(loss(model.apply(params, inputs), targets)), penalty(x, params));
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
