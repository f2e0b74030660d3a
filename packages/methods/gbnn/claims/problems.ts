import { standardization, trainTestSplit } from "@offprint/data";
import { breastCancer, wine } from "@offprint/datasets";
import { random, type Tensor, tensor } from "@offprint/tensor-core";

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
  const rng = random.rng(`${seed}/friedman`);
  const x = rng.uniform([n, 10], { dtype: "float64" }).data();
  const noise = rng.normal([n], { dtype: "float64" }).data();
  const y = Float64Array.from({ length: n }, (_, i) => {
    const at = i * 10;
    return (
      10 * Math.sin(Math.PI * x[at] * x[at + 1]) +
      20 * (x[at + 2] - 0.5) ** 2 +
      10 * x[at + 3] +
      5 * x[at + 4] +
      noise[i]
    );
  });
  const rows = Math.round(0.7 * n);
  return {
    inputs: tensor(x.slice(0, rows * 10), { shape: [rows, 10] }),
    targets: tensor(y.slice(0, rows)),
    testInputs: tensor(x.slice(rows * 10), { shape: [n - rows, 10] }),
    testTargets: tensor(y.slice(rows)),
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

/** Mean. */
export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `0.7812`. */
export function figure(value: number): string {
  return value.toFixed(4);
}
