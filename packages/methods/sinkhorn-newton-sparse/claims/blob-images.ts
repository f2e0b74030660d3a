import type { random } from "@offprint/tensor-core";
import { mul, type Tensor, tensor } from "@offprint/tensor-core";
import { costMatrix, type TransportProblem } from "../src/index.js";

/** Pixels along one side. */
const SIDE = 14;

/** Four Gaussian blobs on [0, 1]^2, thresholded at 10 % and lifted by 0.01, as a histogram `[196]`. */
export function blobImage(rng: random.Rng): Tensor {
  const [first, second] = rng.split(2);
  const centres = first.uniform([4, 2], { low: 0.15, high: 0.85, dtype: "float64" }).data();
  const widths = second.uniform([4], { low: 0.05, high: 0.12, dtype: "float64" }).data();
  const values = pixels().map(([s, t]) => {
    let value = 0;
    for (let k = 0; k < 4; k++) {
      const squared = (s - centres[2 * k]) ** 2 + (t - centres[2 * k + 1]) ** 2;
      value += Math.exp(-squared / (2 * widths[k] ** 2));
    }
    return value;
  });
  const top = Math.max(...values);
  const lifted = Float64Array.from(values, (value) => (value < 0.1 * top ? 0 : value / top) + 0.01);
  const mass = lifted.reduce((a, b) => a + b, 0);
  return tensor(lifted.map((value) => value / mass));
}

function pixels(): [number, number][] {
  const places = Array.from({ length: SIDE }, (_, k) => k / (SIDE - 1));
  return places.flatMap((s) => places.map((t): [number, number] => [s, t]));
}

/** Two images, and the distances of their pixels scaled to at most 1. */
export function imagePair(rng: random.Rng, metric: "sqeuclidean" | "l1"): TransportProblem {
  const [r, c] = rng.split(2).map(blobImage);
  const points = pixels();
  // Both distances are greatest, and 2, between opposite corners.
  return { cost: mul(costMatrix(points, points, metric), 0.5), r, c };
}
