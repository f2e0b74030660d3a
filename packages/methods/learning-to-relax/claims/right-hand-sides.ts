import type { Claim } from "@offprint/claims";
import { sorSync } from "@offprint/solvers";
import { sparse } from "@offprint/tensor-core";
import { gridLaplacian, SIDE, truncatedGaussian } from "./grid.js";

/** The eigenvector of SOR's defect map with the least eigenvalue: inverse iteration with C^-1 = E (E - A)^-1. */
export function leastEigenvector(A: sparse.CsrMatrix, omega: number): Float64Array {
  const { rowIndices, columnIndices, values } = sparse.toCoo(A);
  const scaled = (factor: number, keep: (i: number, j: number) => boolean) =>
    A.withValues(
      values.map((v, p) => {
        const [i, j] = [rowIndices[p]!, columnIndices[p]!];
        return i === j ? v * factor : keep(i, j) ? v : 0;
      }),
    );
  // E = D / omega + L, A - E = D (1 - 1 / omega) + U.
  const lower = scaled(1 / omega, (i, j) => j < i);
  const rest = scaled(1 - 1 / omega, (i, j) => j > i);
  let x = new Float64Array(A.rows).map((_, i) => 1 + 0.1 * Math.sin(i));
  for (let step = 0; step < 300; step++) {
    const y = sparse.multiplyVector(lower, sparse.triangularSolve(rest, x, { lower: false }));
    const norm = Math.sqrt(y.reduce((sum, v) => sum + v * v, 0));
    x = y.map((v) => -v / norm);
  }
  return x;
}

/** Why the theory needs a surrogate, or random right-hand sides. */
export function rightHandSides(omegas: readonly [number, number, number] = [1.35, 1.4, 1.45]): Claim {
  return {
    id: "right-hand-sides-matter",
    statement: "For an adversarial right-hand side the count jumps with omega; for a random one it is smooth",
    source: "Assumptions on the right-hand sides",
    paper: "the count is not smooth in omega for every right-hand side",
    run({ rng }) {
      const A = gridLaplacian(SIDE);
      const adversary = leastEigenvector(A, omegas[1]);
      const gaussian = truncatedGaussian(rng, SIDE * SIDE);
      const count = (b: Float64Array, omega: number) => sorSync(A, b, { omega, tolerance: 1e-8 }).iterations;
      const [left, middle, right] = omegas.map((omega) => count(adversary, omega)) as [number, number, number];
      const smooth = omegas.map((omega) => count(gaussian, omega)) as [number, number, number];
      const jump = middle / Math.min(left, right);
      const bend = Math.abs(smooth[1] / ((smooth[0] + smooth[2]) / 2) - 1);
      const fine = Array.from({ length: 61 }, (_, i) => 1.2 + i / 150);
      return {
        measured: { "adversarial counts": [left, middle, right].join(", "), "random counts": smooth.join(", ") },
        holds: jump < 0.4 && bend < 0.05,
        detail:
          `At omega = ${omegas.join(", ")}: for the eigenvector of C_${omegas[1]} of least eigenvalue the middle count must be below 0.4 ` +
          `of its neighbours (${left}, ${middle}, ${right}), for a random one within 5 % of their mean (${smooth.join(", ")}).`,
        series: [
          {
            kind: "line",
            title: "Iterations of SOR on the 10 x 10 grid",
            x: { label: "omega" },
            y: { label: "iterations" },
            curves: [
              { name: "adversarial right-hand side", x: fine, y: fine.map((w) => count(adversary, w)) },
              { name: "random right-hand side", x: fine, y: fine.map((w) => count(gaussian, w)) },
            ],
          },
        ],
      };
    },
  };
}
