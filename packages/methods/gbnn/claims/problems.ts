import { friedman as friedmanTable } from "@offprint/claims/makers";
import { standardization, trainTestSplit } from "@offprint/data";
import { breastCancer, wine } from "@offprint/datasets";
import { random, slice, type Tensor } from "@offprint/tensor-core";

/** Samples to learn from, and samples to judge by. */
export interface Problem {
  /** `[samples, features]`. */
  readonly inputs: Tensor;
  /** `[samples]`. */
  readonly targets: Tensor;
  /** `[samples, features]`. */
  readonly testInputs: Tensor;
  /** `[samples]`. */
  readonly testTargets: Tensor;
}

/** Friedman's first function, 10 inputs of which 5 matter, noise of deviation 1; 70/30 split. */
export function friedman(seed: number, n = 400): Problem {
  const { inputs, targets } = friedmanTable(random.rng(`${seed}/friedman`), n);
  const rows = Math.round(0.7 * n);
  return {
    inputs: slice(inputs, [{ stop: rows }]),
    targets: slice(targets, [{ stop: rows }]),
    testInputs: slice(inputs, [{ start: rows }]),
    testTargets: slice(targets, [{ start: rows }]),
  };
}

/** A table that ships with the data package, split 70/30 with the classes in proportion. */
export function classes(name: "breast cancer" | "wine", seed: number): Problem {
  const set = (name === "wine" ? wine : breastCancer)({ dtype: "float64" });
  const { train, test } = trainTestSplit(set, { test: 0.3, rng: random.rng(`${seed}/${name}`), stratify: true });
  return { inputs: train.inputs, targets: train.targets, testInputs: test.inputs, testTargets: test.targets };
}

/** Inputs in the units of the training samples, for the baselines. */
export function standardized({ inputs, testInputs }: Problem): {
  readonly inputs: Tensor;
  readonly testInputs: Tensor;
} {
  const scale = standardization(inputs);
  return { inputs: scale.apply(inputs), testInputs: scale.apply(testInputs) };
}
