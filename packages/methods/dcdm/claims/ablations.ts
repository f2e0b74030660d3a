import { type Claim, figure } from "@offprint/claims";
import { conjugateGradientsSync } from "@offprint/solvers";
import { macGrid, poissonMatrix } from "../src/index.js";
import { type Method, published } from "./method.js";
import { directions, judged, noise, rightSides } from "./systems.js";

/** Claim 4: what A-orthogonality is for. */
export function orthogonality(method: Method = published): Claim {
  return {
    id: "orthogonality",
    statement: "Directions must be A-orthogonal to those before; two of them do",
    source: "Section 3, choice of the number of directions",
    paper: "two suffice",
    async run(context) {
      const params = await judged(context);
      const grid = macGrid([32, 32]);
      const a = poissonMatrix(grid);
      const sides = rightSides(context.rng, grid, a);
      const map = directions(params, grid);
      const totals = new Map<number, number>();
      for (const k of [0, 1, 2, 3, 5]) {
        let total = 0;
        for (const b of sides) total += (await method.dcdm(a, b, map, { k, maxIterations: 300 })).iterations;
        totals.set(k, total);
        await context.onProgress(totals.size / 5);
      }
      const of = (k: number) => totals.get(k) ?? Number.NaN;
      return {
        measured: { "none, to two": of(0) / of(2), "five, to two": of(5) / of(2) },
        holds: of(0) >= 1.2 * of(2) && of(3) >= of(2) / 1.2 && of(5) >= of(2) / 1.2,
        detail:
          "Over six right-hand sides, steepest descent along the network must take at least 1.2 times the iterations of two directions, and three or five gain at most 20 %: " +
          `${[...totals].map(([k, total]) => `k = ${k} ${total}`).join(", ")} (ratio ${figure(of(0) / of(2))}).`,
      };
    },
  };
}

/** Keeps the smooth half of the sine modes: nothing helps with the others. */
function smoothHalf(n: number): (r: Float64Array) => Float64Array {
  const sines = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n) + 1, (at % n) + 1];
    return Math.sqrt(2 / (n + 1)) * Math.sin((Math.PI * i * j) / (n + 1));
  });
  const values = Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n) + 1, (at % n) + 1];
    return 4 - 2 * Math.cos((Math.PI * i) / (n + 1)) - 2 * Math.cos((Math.PI * j) / (n + 1));
  });
  const median = [...values].sort((x, y) => x - y)[Math.floor((n * n - 1) / 2)];
  const times = (x: Float64Array, byRows: boolean) => {
    const out = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < n; l++) sum += byRows ? sines[i * n + l] * x[l * n + j] : x[i * n + l] * sines[l * n + j];
        out[i * n + j] = sum;
      }
    }
    return out;
  };
  const transform = (x: Float64Array) => times(times(x, true), false);
  return (r) => transform(transform(r).map((value, at) => (values[at] <= median ? value : 0)));
}

/** Claim 6: a bad map is reported, and can be helped. */
export function honestFailure(method: Method = published): Claim {
  return {
    id: "honest-failure",
    statement:
      "A map that is blind to half of the modes is reported as not converged, and residuals in between bring it to the solution",
    source: "Section 6, limitations",
    paper: "not stated",
    async run({ rng }) {
      const grid = macGrid([32, 32]);
      const a = poissonMatrix(grid);
      const b = noise(rng, grid);
      const blind = smoothHalf(32);
      const alone = await method.dcdm(a, b, blind, { maxIterations: 300 });
      const helped = await method.dcdm(a, b, blind, { maxIterations: 300, onStagnation: "residual" });
      const left = alone.residualNorm / alone.initialResidualNorm;
      const byResidual = helped.history.filter((record) => record.byResidual).length;
      const plain = conjugateGradientsSync(a, b, { tolerance: 1e-4 }).iterations;
      return {
        measured: { "residual that is left": left, "iterations with help": helped.iterations },
        holds: alone.status !== "converged" && left > 0.5 && helped.status === "converged" && helped.iterations <= 100,
        detail: `Without help the status must not be converged (${alone.status}) and more than .5 of the residual be left (${figure(left)}); with residuals in between it must converge in 100 iterations (${helped.iterations}, ${byResidual} of them residuals; conjugate gradients take ${plain}).`,
      };
    },
  };
}
