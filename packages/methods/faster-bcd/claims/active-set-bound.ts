import { type Claim, figure } from "@offprint/claims";
import { linalg, tensor } from "@offprint/tensor-core";
import {
  activeSet,
  activeSetBound,
  type BcdMethodOptions,
  type BcdProblem,
  BcdSolver,
  bcd,
  leastSquares,
} from "../src/index.js";

/** Iterations after which all of `indices` are zero for good. */
export type Identifier = (problem: BcdProblem, options: BcdMethodOptions, indices: Int32Array) => number;

/** Runs to the end and looks when the last of them left zero. */
export const identify: Identifier = (problem, options, indices) => {
  const solver = new BcdSolver(problem, options);
  let since = 0;
  while (solver.status === undefined) {
    const { x, iteration } = solver.step();
    if (indices.some((i) => x[i] !== 0)) since = iteration + 1;
  }
  return since;
};

/** How soon the zeros of the solution are found. */
export function activeSetTime(count: Identifier = identify): Claim {
  return {
    id: "active-set-bound",
    statement:
      "The proximal gradient method finds all zeros of the solution within (L/mu) log(2 L ||x0 - x*|| / delta) iterations",
    source: "Section 5, active-set complexity",
    paper: "the bound holds",
    async run({ rng, onProgress }) {
      const [m, n] = [200, 40];
      const rows: (string | number)[][] = [];
      let holds = true;
      for (const [k, own] of rng.split(3).entries()) {
        const A = own.normal([m, n], { dtype: "float64" });
        const used = own.uniform([n], { dtype: "float64" }).data();
        const w = own
          .normal([n], { dtype: "float64" })
          .data()
          .map((v, i) => (used[i] < 0.4 ? Math.max(0, v) : 0));
        const y = A.matmul(tensor(w)).add(own.normal([m], { std: 0.5, dtype: "float64" }));
        const smooth = leastSquares(A, y);
        const problem: BcdProblem = { smooth, composite: { kind: "nonneg", lambda: 20 } };
        const best = await bcd(problem, { blockSize: n, update: "pn", tolerance: 1e-12 });
        const { indices, delta } = activeSet(problem, best.x);
        const spectrum = linalg.eigvalsh(A.transpose().matmul(A)).data();
        const [mu, L] = [spectrum[0], spectrum[n - 1]];
        const x0 = new Float64Array(n).fill(1);
        const dist0 = Math.hypot(...x0.map((v, i) => v - best.x.data()[i]));
        const bound = activeSetBound({ L, mu, delta, dist0 });
        // The step 1/L for blocks too: the objective without its H_b, whose block constants are L then.
        const global = {
          n,
          value: smooth.value,
          gradient: smooth.gradient,
          start: smooth.start,
          blockBound: (b: Int32Array) =>
            Float64Array.from({ length: b.length ** 2 }, (_, p) => (p % (b.length + 1) === 0 ? L : 0)),
        };
        const options: BcdMethodOptions = { initial: x0, update: "pg", maxIterations: 3000, tolerance: 1e-11 };
        const full = count({ ...problem, smooth: global }, { ...options, blockSize: n, blocks: "order" }, indices);
        const blocks = count(
          { ...problem, smooth: global },
          { ...options, blockSize: 5, blocks: "order", rule: "cyclic" },
          indices,
        );
        holds &&= full <= bound && full > 1 && blocks > 1;
        rows.push([k, indices.length, full, bound, blocks]);
        await onProgress((k + 1) / 3);
      }
      const [, , full, bound] = rows[2] as number[];
      return {
        measured: { iterations: full, bound },
        holds,
        detail:
          "On each of three non-negative least-squares problems with 40 variables, started from ones, the zeros must be found within the bound, and not at once (> 1); " +
          `${rows.map((row) => `${row[2]} against ${figure(row[3] as number)}`).join(", ")}. Cyclic blocks of five: ${rows.map((row) => row[4]).join(", ")} block updates.`,
        tables: [
          {
            title: "Iterations until the zeros stay",
            columns: ["problem", "zeros", "proximal gradient", "bound", "cyclic blocks of 5"],
            rows,
          },
        ],
      };
    },
  };
}
