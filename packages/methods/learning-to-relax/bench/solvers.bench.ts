import { compare, python } from "@offprint/bench";
import { conjugateGradientsSync, sorSync, ssorConjugateGradientsSync, ssorSync } from "@offprint/solvers";
import { random } from "@offprint/tensor-core";
import { gridLaplacian } from "../claims/grid.js";
import { HeatEquation } from "../claims/heat-equation.js";

const peers = python(new URL("solver_peers.py", import.meta.url));

/**
 * How long does a solve to 1e-8 take beside SciPy's compiled kernels (CSR products and SuperLU's triangular solves), on the
 * same matrix, and how does the time of a sweep grow with the matrix?
 */
export async function run() {
  for (const [side, omega] of [
    [10, 1.5],
    [30, 1.8],
    [100, 1.94],
  ] as const) {
    const A = gridLaplacian(side);
    const b = random.rng(0).normal([side * side], { dtype: "float64" });
    const options = { omega, tolerance: 1e-8 };
    for (const [name, solve] of [
      ["sor", sorSync],
      ["ssor", ssorSync],
    ] as const) {
      const { iterations } = solve(A, b, options);
      await compare({
        name: `${name} to 1e-8, n = ${side * side}, ${iterations} iterations`,
        ours: () => solve(A, b, options),
        peers: {
          "SciPy, factored once": peers.peer(name, side, omega),
          ...(name === "sor" && side < 100 ? { spsolve_triangular: peers.peer("sor_triangular", side, omega) } : {}),
        },
        work: { amount: iterations * side * side, unit: "rows" },
        maxRatio: 2,
        repetitions: 7,
      });
    }
  }
  for (const nx of [25, 70, 200]) {
    const heat = new HeatEquation(nx);
    heat.step = 750; // where diffusion is strongest
    const { A } = heat.next();
    const b = random.rng(0).normal([A.rows], { dtype: "float64" });
    const plain = conjugateGradientsSync(A, b, { tolerance: 1e-8 }).iterations;
    await compare({
      name: `cg to 1e-8, heat equation, n = ${A.rows}, ${plain} iterations`,
      ours: () => conjugateGradientsSync(A, b, { tolerance: 1e-8 }),
      peers: { "scipy.sparse.linalg.cg": peers.peer("plain_cg", nx) },
      work: { amount: plain * A.rows, unit: "rows" },
      maxRatio: 2,
      repetitions: 7,
    });
    for (const omega of [1, 1.5]) {
      const options = { omega, tolerance: 1e-8 };
      const { iterations } = ssorConjugateGradientsSync(A, b, options);
      await compare({
        name: `ssor-cg to 1e-8, heat equation, n = ${A.rows}, omega ${omega}, ${iterations} iterations`,
        ours: () => ssorConjugateGradientsSync(A, b, options),
        peers: { "scipy.sparse.linalg.cg, factors made once": peers.peer("ssor_cg", nx, omega) },
        work: { amount: iterations * A.rows, unit: "rows" },
        maxRatio: 2,
        repetitions: 7,
      });
    }
  }
}
