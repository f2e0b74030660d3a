import { hostTensor, random, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { Floats } from "./motion.js";
import { perCoordinate, type SettledProblem } from "./problem.js";

/** @internal Normal particles around `mean` (default 0, or the middle of the bounds) with `std` (1, or a quarter of them). */
export function normalStart(
  owner: string,
  { dimension: d, box }: Pick<SettledProblem, "dimension" | "box">,
  given: { mean?: TensorLike | undefined; std?: TensorLike | undefined },
  n: number,
  seed: number | string,
) {
  const middle = (j: number) => (boundedSide(box, j) ? (box!.lower[j] + box!.upper[j]) / 2 : 0);
  const quarter = (j: number) => (boundedSide(box, j) ? (box!.upper[j] - box!.lower[j]) / 4 : 1);
  const fill = (of: (j: number) => number) => Float64Array.from({ length: d }, (_, j) => of(j));
  const mean = given.mean === undefined ? fill(middle) : perCoordinate(owner, "mean", given.mean, d);
  const std = given.std === undefined ? fill(quarter) : perCoordinate(owner, "std", given.std, d);
  for (let j = 0; j < d; j++) {
    if (!Number.isFinite(mean[j]))
      throw new ValueError(`${owner}: mean is ${mean[j]} in coordinate ${j}; give a number`);
    if (!(std[j] >= 0 && std[j] < Infinity)) {
      throw new ValueError(`${owner}: std is ${std[j]} in coordinate ${j}; it must be a finite number >= 0`);
    }
  }
  const z = random.rng(`${seed}/start`).normal([n, d], { dtype: "float64" }).data() as Floats;
  const out = new Float64Array(n * d);
  for (let i = 0; i < out.length; i++) out[i] = mean[i % d] + std[i % d] * z[i];
  return hostTensor(out, [n, d], "float64");
}

function boundedSide(box: SettledProblem["box"], j: number): boolean {
  return box !== undefined && Number.isFinite(box.lower[j]) && Number.isFinite(box.upper[j]);
}
