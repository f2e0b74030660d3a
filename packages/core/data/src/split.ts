import { checkOptions, type Rng, ValueError } from "@offprint/tensor-core";
import { type Dataset, sampleCount, subset } from "./dataset.js";

/** Options of `trainTestSplit`. */
export interface SplitOptions {
  /** Samples of the test part: a number of them, or a fraction below 1. */
  test: number;
  /** Chooses at random; without it the test part is the last samples. */
  rng?: Rng;
  /** Keeps the proportions of the classes (integer targets) in both parts; needs `rng`. Default false. */
  stratify?: boolean;
}

/**
 * Splits a data set into a part to learn from and a part to judge by.
 * @throws ValueError unless both parts get at least one sample.
 */
export function trainTestSplit<D extends Pick<Dataset, "inputs" | "targets">>(
  dataset: D,
  options: SplitOptions,
): { train: D; test: D } {
  checkOptions("trainTestSplit", options, ["test", "rng", "stratify"]);
  const { test, rng, stratify = false } = options ?? {};
  const n = sampleCount(dataset);
  const count = test < 1 ? Math.round(test * n) : test;
  if (!Number.isInteger(count) || count < 1 || count >= n) {
    throw new ValueError(`trainTestSplit: test is ${test} of ${n} samples; leave at least one for each part`);
  }
  if (stratify && rng === undefined) throw new ValueError("trainTestSplit: stratify needs rng; give random.rng(seed)");
  const order = rng === undefined ? Array.from({ length: n }, (_, i) => i) : [...rng.permutation(n).data()];
  const inTest = stratify ? stratifiedTest(dataset, order, count) : order.slice(n - count);
  const chosen = new Set(inTest);
  const inTrain = order.filter((i) => !chosen.has(i));
  return { train: subset(dataset, inTrain), test: subset(dataset, inTest) };
}

/** `count` samples with each class in its proportion: largest remainders get the samples that rounding leaves. */
function stratifiedTest(
  dataset: Pick<Dataset, "inputs" | "targets">,
  order: readonly number[],
  count: number,
): number[] {
  const { targets } = dataset;
  if (targets.rank !== 1 || targets.dtype !== "int32") {
    throw new ValueError(
      `trainTestSplit: stratify needs class numbers (int32, one per sample), not ${targets.dtype} [${targets.shape}]`,
    );
  }
  const labels = targets.data();
  const members = new Map<number, number[]>();
  for (const i of order) {
    const list = members.get(labels[i]);
    if (list === undefined) members.set(labels[i], [i]);
    else list.push(i);
  }
  const groups = [...members.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, list]) => {
      const share = (list.length * count) / order.length;
      return { list, share, taken: Math.floor(share) };
    });
  let left = count - groups.reduce((sum, { taken }) => sum + taken, 0);
  for (const group of [...groups].sort((a, b) => b.share - b.taken - (a.share - a.taken)))
    if (left-- > 0) group.taken++;
  const chosen = new Set(groups.flatMap(({ list, taken }) => list.slice(0, taken)));
  return order.filter((i) => chosen.has(i));
}
