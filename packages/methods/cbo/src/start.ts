import { hostTensor, random, type Tensor, type TensorLike, ValueError } from "@offprint/tensor-core";
import { type Box, perCoordinate } from "./problem.js";

/** Where the first particles are, and how far they spread. */
export interface StartOptions {
  /**
   * The middle of the first particles, `[d]` or a number. Default 0; coordinates with finite bounds are uniform between them
   * where neither `mean` nor `std` is given, else the middle of the bounds.
   */
  readonly mean?: TensorLike;
  /** Their standard deviation, `[d]` or a number, >= 0. Default 1, for coordinates with finite bounds a quarter of their width. */
  readonly std?: TensorLike;
}

/** @internal Particles `[n, d]`: uniform within finite bounds, else normal. */
export function firstParticles(
  owner: string,
  box: Box | undefined,
  given: StartOptions,
  n: number,
  d: number,
  seed: string,
): Tensor {
  const bounded = (j: number) => box !== undefined && Number.isFinite(box.lower[j]) && Number.isFinite(box.upper[j]);
  const middle = (j: number) => (bounded(j) ? (box!.lower[j] + box!.upper[j]) / 2 : 0);
  const quarter = (j: number) => (bounded(j) ? (box!.upper[j] - box!.lower[j]) / 4 : 1);
  const fill = (of: (j: number) => number) => Float64Array.from({ length: d }, (_, j) => of(j));
  const mean = given.mean === undefined ? fill(middle) : perCoordinate(owner, "mean", given.mean, d);
  const std = given.std === undefined ? fill(quarter) : perCoordinate(owner, "std", given.std, d);
  for (let j = 0; j < d; j++) {
    if (!Number.isFinite(mean[j])) {
      throw new ValueError(`${owner}: mean is ${mean[j]} in coordinate ${j}; give a number`);
    }
    if (!(std[j] >= 0 && std[j] < Infinity)) {
      throw new ValueError(`${owner}: std is ${std[j]} in coordinate ${j}; it must be a finite number >= 0`);
    }
  }
  const rng = random.rng(seed);
  const z = rng.normal([n, d], { dtype: "float64" }).data();
  const even = given.mean === undefined && given.std === undefined;
  const u = even && box !== undefined ? rng.uniform([n, d], { dtype: "float64" }).data() : undefined;
  const out = new Float64Array(n * d);
  for (let i = 0; i < out.length; i++) {
    const j = i % d;
    out[i] =
      u !== undefined && bounded(j) ? box!.lower[j] + (box!.upper[j] - box!.lower[j]) * u[i] : mean[j] + std[j] * z[i];
  }
  return hostTensor(out, [n, d], "float64");
}
