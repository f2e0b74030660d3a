import { type random, sparse } from "@offprint/tensor-core";
import type { LinearSystem } from "../src/index.js";

/** The 5-point Laplacian on the interior of a square grid, side x side unknowns: 4 on the diagonal, -1 beside it. */
export function gridLaplacian(side: number): sparse.CsrMatrix {
  const beside = new Float64Array(side - 1).fill(-1);
  const line = sparse.add(
    sparse.diagonal(new Float64Array(side).fill(2)),
    sparse.add(sparse.diagonal(beside, 1), sparse.diagonal(beside, -1)),
  );
  const eye = sparse.identity(side);
  return sparse.toCsr(sparse.add(sparse.kron(line, eye), sparse.kron(eye, line)));
}

/** Unknowns along a side of the grid of the experiments with shifts. */
export const SIDE = 10;

/** Spectral radius of the Jacobi matrix of the shifted Laplacian. */
export function jacobiRadius(shift: number): number {
  return (4 * Math.cos(Math.PI / (SIDE + 1))) / (4 + shift);
}

/** A standard normal vector, drawn again until its norm is at most sqrt(n). */
export function truncatedGaussian(rng: random.Rng, n: number): Float64Array {
  for (;;) {
    const b = rng.normal([n], { dtype: "float64" }).data() as Float64Array;
    if (b.reduce((sum, v) => sum + v * v, 0) <= n) return b;
  }
}

/** How much the shifts vary: parameters of the Beta distribution on [-0.15, 0.45]. */
export const VARIANCE = { low: [2, 6], high: [0.5, 1.5] } as const;

/** The range of contexts that the paper gives to its policies. */
export const RANGE = [-0.15, 0.65] as const;

/** A system whose context is its shift. */
export type ShiftedSystem = LinearSystem & { readonly shift: number };

/** T systems with independent shifts and right-hand sides. */
export function shiftedSystems(rng: random.Rng, variance: keyof typeof VARIANCE, T: number): ShiftedSystem[] {
  const A = gridLaplacian(SIDE);
  const [alpha, beta] = VARIANCE[variance];
  const shifts = rng.beta([T], { alpha, beta, dtype: "float64" }).data();
  return Array.from(shifts, (u) => {
    const shift = -0.15 + 0.6 * u;
    return { A, b: truncatedGaussian(rng, SIDE * SIDE), shift, context: shift };
  });
}
