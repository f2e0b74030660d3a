import { type Claim, figure } from "@offprint/claims";
import { costMatrix, wasserstein1d } from "../src/index.js";
import { errorCurve, type Method, published, secondStage } from "./method.js";

const POINTS = 400;

/** A mixture of Gaussians (weight, mean, width) on the grid, lifted by 0.01, as a histogram. */
function mixture(grid: Float64Array, parts: readonly (readonly [number, number, number])[]): Float64Array {
  const density = grid.map((t) =>
    parts.reduce((sum, [w, m, s]) => sum + (w * Math.exp(-((t - m) ** 2) / (2 * s * s))) / s, 0.01),
  );
  const mass = density.reduce((a, b) => a + b, 0);
  return density.map((value) => value / mass);
}

/** Wasserstein distances on the line, where the exact value is known. */
export function oneDimensional(method: Method = published): Claim {
  return {
    id: "one-dimensional",
    statement:
      "W1 and W2 of densities on the line: machine accuracy, and a cost that exceeds the exact one by no more than log(n) / eta",
    source: "Section 5.3",
    paper: "machine accuracy; the same picture",
    async run({ onProgress }) {
      const grid = Float64Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1));
      const r = mixture(grid, [
        [0.2, 0.2, 0.05],
        [0.8, 0.6, 0.1],
      ]);
      const c = mixture(grid, [
        [0.6, 0.35, 0.08],
        [0.4, 0.8, 0.05],
      ]);
      const rows: (string | number)[][] = [];
      const curves = [];
      let [most, worst, above, inside] = [0, 0, 0, true];
      for (const [k, p] of [1, 2].entries()) {
        const cost = costMatrix(grid, grid, p === 1 ? "l1" : "sqeuclidean");
        const exact = wasserstein1d({ positions: grid, masses: r }, { positions: grid, masses: c }, p);
        for (const eta of [400, 1200]) {
          const result = await method(
            { cost, r, c },
            { eta, sinkhornIterations: 50, keepPerRow: 15, newtonIterations: 100, anneal: false },
          );
          const excess = result.cost - exact;
          rows.push([`W${p}^${p}`, eta, exact, result.cost, secondStage(result), result.marginalError]);
          most = Math.max(most, secondStage(result));
          worst = Math.max(worst, result.marginalError);
          above = Math.max(above, (excess * eta) / Math.log(POINTS));
          inside = inside && excess >= 0;
          if (eta === 1200) curves.push(errorCurve(`W${p}`, result));
        }
        await onProgress((k + 1) / 2);
      }
      return {
        measured: { "most steps": most, "marginal error": worst, "excess over log(n) / eta": above },
        holds: most <= 60 && worst <= 1e-13 && inside && above <= 1,
        detail:
          `400 points: at most 60 steps of stage 2 (${most}) must reach 1e-13 (${figure(worst)}), and <C, P> must exceed the exact ` +
          `cost, by at most log(n) / eta (at most ${figure(above)} of it).`,
        tables: [{ title: "Costs", columns: ["cost", "eta", "exact", "<C, P>", "steps", "marginal error"], rows }],
        series: [
          {
            kind: "line",
            title: "Densities on the line, eta = 1200",
            x: { label: "iteration" },
            y: { label: "marginal error", scale: "log" },
            curves,
          },
        ],
      };
    },
  };
}
