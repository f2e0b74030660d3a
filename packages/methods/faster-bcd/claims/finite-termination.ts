import { type Claim, figure } from "@offprint/claims";
import { type BcdOptions, type BcdProblem, type BcdResult, bcd, leastSquares } from "../src/index.js";
import { type Method, published } from "./method.js";
import { regression } from "./problems.js";

/** Non-negative least squares with weight `share` max(A^T y), and its exact optimum, checked by its optimality conditions. */
async function nonNegative(m: number, n: number, share: number, rng: Parameters<typeof regression>[2]) {
  const { A, y } = regression(m, n, rng);
  const smooth = leastSquares(A, y);
  const lambda = share * Math.max(...Float64Array.from(smooth.gradient(new Float64Array(n)), (v) => -v));
  const problem: BcdProblem = { smooth, composite: { kind: "nonneg", lambda } };
  // An active-set method on all variables at once.
  const exact = await bcd(problem, { blockSize: n, blocks: "order", update: "pn", maxIterations: 3, tolerance: 1e-10 });
  const x = exact.x.data();
  const g = smooth.gradient(x as Float64Array);
  let violation = 0;
  for (let i = 0; i < n; i++) violation = Math.max(violation, x[i] > 0 ? Math.abs(g[i] + lambda) : -(g[i] + lambda));
  return { problem, exact, violation: violation / lambda };
}

/** Second-order steps find the pattern of zeros, and are done. */
export function finiteTermination(method: Method = published, count = 3): Claim {
  return {
    id: "finite-termination",
    statement:
      "Newton steps on blocks as large as the support end after a few iterations, with fixed blocks or gradient steps they do not",
    source: "Figure 7, tau = 50",
    paper: "iterations to 1e-8: PN 7, TMP 8, PG about 140 (variable); PN 183, TMP 190, PG > 500 (fixed)",
    async run({ rng, scale, onProgress }) {
      const { m, n, instances, most } =
        scale === "full"
          ? { m: 1000, n: 2000, instances: 3, most: 500 }
          : { m: 200, n: 500, instances: count, most: 100 };
      const rows: (string | number)[][] = [];
      let holds = true;
      let counted = 0;
      let violation = 0;
      const iterate = async (problem: BcdProblem, exact: BcdResult, options: BcdOptions): Promise<number> => {
        const fStar = exact.objective;
        const result = await method(problem, {
          blockSize: 50,
          maxIterations: most,
          fStar,
          tolerance: 1e-10 * Math.abs(fStar),
          ...options,
        });
        return result.objective - fStar <= 1e-10 * Math.abs(fStar) ? result.iterations : Infinity;
      };
      const shown = (v: number): string | number => (v === Infinity ? `> ${most}` : v);
      // As many instances as it takes to have `instances` whose support fits into the block. With a handful of variables
      // every method is soon done.
      for (const [k, own] of rng.split(4 * instances).entries()) {
        if (counted === instances) break;
        const { problem, exact, violation: here } = await nonNegative(m, n, 0.1, own);
        violation = Math.max(violation, here);
        const size = exact.support.length;
        if (size < 8 || size > 45) continue;
        counted++;
        const pn = await iterate(problem, exact, { update: "pn" });
        const tmp = await iterate(problem, exact, { update: "tmp" });
        const pg = await iterate(problem, exact, { update: "pg" });
        const fixed = await iterate(problem, exact, { update: "pn", blocks: "sort", maxIterations: 4 * most });
        rows.push([`instance ${k}`, size, pn, tmp, shown(pg), fixed === Infinity ? `> ${4 * most}` : fixed]);
        holds &&= pn <= 5 && tmp <= 15 && pg > 50 && (size < 30 || fixed > 10 * pn);
        await onProgress(counted / (instances + 1));
      }
      let large = await nonNegative(m, n, 0.02, rng.fork("control"));
      for (const own of rng.fork("more controls").split(10)) {
        if (large.exact.support.length > 50) break;
        large = await nonNegative(m, n, 0.02, own);
      }
      const { problem, exact } = large;
      const control = await iterate(problem, exact, { update: "pn" });
      rows.push(["control, 0.02", exact.support.length, shown(control), "", "", ""]);
      const [, , pn, tmp] = rows[counted - 1] ?? [];
      const [worstPn, worstTmp] = [2, 3].map((column) =>
        Math.max(...rows.slice(0, counted).map((row) => row[column] as number)),
      );
      return {
        measured: {
          "most PN iterations": worstPn,
          "most TMP iterations": worstTmp,
          "control (support > block)": control === Infinity ? most : control,
        },
        holds:
          holds &&
          counted === instances &&
          violation < 1e-9 &&
          exact.support.length > 50 &&
          control > 5 &&
          pn !== undefined &&
          tmp !== undefined,
        detail:
          `x >= 0 with weight 0.1 max(A^T y), blocks of 50 by GS-q, on ${instances} problems with a support of 8 to 45: to 1e-10 |F*| PN must take <= 5 iterations, TMP <= 15, ` +
          `PG > 50, and PN on fixed blocks more than 10 times as many where the support is 30 or more. With weight 0.02 the support (${exact.support.length}) ` +
          `exceeds the block, and PN must need more than 5 (${shown(control)}). The optimum violates its conditions by ${figure(violation)} of the weight (< 1e-9).`,
        tables: [{ title: "Iterations", columns: ["problem", "support", "PN", "TMP", "PG", "PN, fixed blocks"], rows }],
      };
    },
  };
}
