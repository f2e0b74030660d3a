import { type Rng, type Tensor, tensor } from "@offprint/tensor-core";
import { type BcdMethodOptions, type BcdProblem, BcdSolver } from "../src/index.js";

/** Normal numbers, float64. */
export function normals(rng: Rng, count: number): Float64Array {
  return rng.normal([count], { dtype: "float64" }).data().slice() as Float64Array;
}

/** A matrix of normal numbers with a normal scale for each column. */
export function scaled(rng: Rng, m: number, n: number): { values: Float64Array; A: Tensor } {
  const values = normals(rng, m * n);
  const scales = normals(rng, n);
  for (let p = 0; p < values.length; p++) values[p] *= scales[p % n];
  return { values, A: tensor(values, { shape: [m, n] }) };
}

/** All variables. */
export function all(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/** The blocks that a run takes, up to its end. */
export function blocksTaken(problem: BcdProblem, options: BcdMethodOptions): number[][] {
  const solver = new BcdSolver(problem, options);
  const taken: number[][] = [];
  while (solver.status === undefined) taken.push(Array.from(solver.step().block));
  return taken;
}
