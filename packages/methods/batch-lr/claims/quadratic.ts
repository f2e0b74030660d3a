import { type Claim, figure } from "@offprint/claims";
import { withSpectrum } from "@offprint/claims/makers";
import type { LinearOperator } from "@offprint/solvers";
import { linalg } from "@offprint/tensor-core";
import { batchLr, type Method } from "./method.js";
import { withSpike } from "./random-matrices.js";

const order = 200;

/**
 * Steps of heavy ball from 0 until the distance to the solution is a millionth of its length: `most` where it takes more,
 * infinitely many where it diverges.
 */
export function stepsToSolve(
  apply: LinearOperator,
  solution: Float64Array,
  { learningRate, momentum }: { readonly learningRate: number; readonly momentum: number },
  most = 10_000,
): number {
  const n = solution.length;
  const [x, v, difference, slope] = [0, 0, 0, 0].map(() => new Float64Array(n));
  const size = Math.hypot(...solution);
  for (let step = 1; step <= most; step++) {
    for (let i = 0; i < n; i++) difference[i] = x[i] - solution[i];
    apply(difference, slope);
    let distance = 0;
    for (let i = 0; i < n; i++) {
      v[i] = momentum * v[i] + slope[i];
      x[i] -= learningRate * v[i];
      distance += (x[i] - solution[i]) ** 2;
    }
    if (Math.sqrt(distance) <= 1e-6 * size) return step;
    // A run whose distance has grown a million times diverges.
    if (!(Math.sqrt(distance) < 1e6 * size)) return Number.POSITIVE_INFINITY;
  }
  return most;
}

/** On a quadratic the exact answer is known. */
export function quadraticClaim(method: Pick<Method, "krylovSpectrum" | "polyak"> = batchLr): Claim {
  return {
    id: "quadratic",
    statement: "Forty Lanczos steps give the rates of the optimal heavy ball on a quadratic",
    source: "Section 6 (Polyak's rates from the spectrum)",
    paper: "the optimal rates",
    async run({ rng }) {
      const eigenvalues = [10, ...Array.from({ length: order - 1 }, (_, i) => 0.01 + (0.99 * i) / (order - 2))];
      const matrix = withSpectrum(rng, eigenvalues);
      const apply = withSpike(matrix.data() as Float64Array, order);
      const right = rng.normal([order], { dtype: "float64" });
      // The solution of A x = right: its components along eigenvectors are of all sizes.
      const solution = Float64Array.from(linalg.solve(matrix, right).data());
      const start = Float64Array.from(rng.normal([order], { dtype: "float64" }).data());
      const spectrum = method.krylovSpectrum(apply, start, 40);
      const top = Math.abs(spectrum.nodes[spectrum.nodes.length - 1] - 10) / 10;
      const bottom = Math.abs(spectrum.nodes[0] - 0.01) / 0.01;
      const settings = { safety: 1, smallest: "min-positive", maxMomentum: 0.999 } as const;
      const found = method.polyak(spectrum, settings);
      const exact = batchLr.polyak({ nodes: [0.01, 10], weights: [0.5, 0.5] }, settings)!;
      const steps = found === undefined ? Number.POSITIVE_INFINITY : stepsToSolve(apply, solution, found, 3000);
      const ideal = stepsToSolve(apply, solution, exact);
      const descent = stepsToSolve(apply, solution, { learningRate: 2 / 10.01, momentum: 0 });
      const fixed = stepsToSolve(apply, solution, { learningRate: 0.1, momentum: 0.9 });
      const unstable = stepsToSolve(apply, solution, { learningRate: (1.01 * 2) / 10, momentum: 0 }, 2000);
      const stable = stepsToSolve(apply, solution, { learningRate: (0.99 * 2) / 10, momentum: 0 }, 2000);
      const near = Math.abs(steps - ideal) <= 0.05 * ideal;
      const limit = !Number.isFinite(unstable) && Number.isFinite(stable);
      return {
        measured: { steps, "exact spectrum": ideal, "gradient descent": descent, "0.1 and 0.9": fixed },
        holds: top <= 1e-10 && bottom <= 0.02 && steps <= 300 && near && descent >= 15 * steps && limit,
        detail:
          `Eigenvalues 10 and 0.01 to 1. Largest to 1e-10 (${figure(top)}), smallest within 2 % (${figure(100 * bottom)} %); a ` +
          `millionth of the distance in at most 300 steps (${figure(steps)}), within 5 % of the exact spectrum's (${figure(ideal)}) ` +
          `and 15 times fewer than gradient descent (${figure(descent)}). Descent diverges at 1.01 of 2 / L and does not at 0.99 ` +
          `(${limit ? "so it does" : "not so"}).`,
      };
    },
  };
}
