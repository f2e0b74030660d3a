import { type Claim, figure } from "@offprint/claims";
import { conjugateGradientsSync, type LinearSolverResultSync } from "@offprint/solvers";
import { random, sparse } from "@offprint/tensor-core";
import { type DcdmResult, macGrid, poissonMatrix, ritzPairs } from "../src/index.js";
import { type Method, published } from "./method.js";
import { noise } from "./systems.js";

/** Claim 1: known directions give known methods. */
export function exactness(method: Method = published): Claim {
  return {
    id: "exactness",
    statement:
      "Along residuals it is conjugate gradients, along A^-1 r it takes one iteration, and Ritz values are those of the box",
    source: "Section 3, algorithm 1",
    paper: "equal",
    async run({ rng }) {
      const grid = macGrid([32, 32]);
      const a = poissonMatrix(grid);
      const b = noise(rng, grid);
      const apart = (ours: DcdmResult, theirs: LinearSolverResultSync) => {
        // A record may be of several iterations.
        const norms = theirs.history.flatMap(({ residualNorm, residualNorms }) => [
          ...(residualNorms ?? [residualNorm]),
        ]);
        return ours.history.reduce(
          (most, { residualNorm }, k) => Math.max(most, Math.abs(residualNorm / norms[k] - 1)),
          0,
        );
      };
      const thirty = { maxIterations: 30, tolerance: 1e-14 };
      const plain = apart(await method.dcdm(a, b, (r) => r.slice(), thirty), conjugateGradientsSync(a, b, thirty));
      // The diagonal of the box is 4 everywhere: D^-1 r differs in scale alone. Another one tells them apart.
      const scale = Float64Array.from(b, (_, i) => 1 + 0.5 * Math.sin(i));
      const scaled = sparse.multiply(sparse.diagonal(scale), sparse.multiply(a, sparse.diagonal(scale)));
      const jacobi = (r: Float64Array) => r.map((value, i) => value / (4 * scale[i] ** 2));
      const preconditioner = (r: Float64Array, z: Float64Array) => z.set(jacobi(r));
      const preconditioned = apart(
        await method.dcdm(scaled, b, jacobi, thirty),
        conjugateGradientsSync(scaled, b, { ...thirty, preconditioner }),
      );
      const factor = sparse.cholesky(a);
      const solved = await method.dcdm(a, b, (r) => factor.solve(r) as Float64Array, { tolerance: 1e-10 });
      const lowest = ritzPairs(a, a.rows, 200, random.rng("ritz")).values[0];
      const ritz = Math.abs(lowest - (4 - 4 * Math.cos(Math.PI / 33)));
      return {
        measured: { "to conjugate gradients": plain, "to Jacobi's": preconditioned, "lowest Ritz value": ritz },
        holds: plain < 1e-8 && preconditioned < 1e-8 && solved.iterations === 1 && ritz < 1e-10,
        detail:
          `Residual norms of 30 iterations must equal those of conjugate gradients to 1e-8 (${figure(plain)}), with Jacobi's preconditioner too (${figure(preconditioned)}); ` +
          `with the inverse ${solved.iterations} iteration must do (1); the lowest Ritz value of 200 steps be 4 - 4 cos(pi / 33) to 1e-10 (${figure(ritz)}).`,
      };
    },
  };
}
