import { random, type Tensor, tensor } from "@offprint/tensor-core";
import type { TransportProblem } from "../src/index.js";

/** Costs uniform in [0, 1], and masses that differ by a factor of up to five. */
export function randomProblem(seed: number, n: number, m = n): { cost: Tensor; r: Tensor; c: Tensor } {
  const [costs, rows, columns] = random.rng(seed).split(3);
  const masses = (rng: random.Rng, size: number) => {
    const raw = rng.uniform([size], { low: 0.2, high: 1, dtype: "float64" }).data() as Float64Array;
    const sum = raw.reduce((a, b) => a + b, 0);
    return tensor(raw.map((value) => value / sum));
  };
  return { cost: costs.uniform([n, m], { dtype: "float64" }), r: masses(rows, n), c: masses(columns, m) };
}

/** The random assignment problem. */
export function assignmentProblem(seed: number, n: number): TransportProblem & { cost: Tensor } {
  return { cost: random.rng(seed).uniform([n, n], { dtype: "float64" }) };
}

/** sum |a - b|. */
export function distance(a: Tensor, b: Tensor): number {
  const [x, y] = [a.data(), b.data()];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.abs(x[i] - y[i]);
  return sum;
}

/** Sum of all entries. */
export function total(x: Tensor): number {
  let sum = 0;
  for (const value of x.data()) sum += value;
  return sum;
}
