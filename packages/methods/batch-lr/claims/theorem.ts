import { type Claim, figure, meanOf } from "@offprint/claims";
import { lanczosEigenpairsSync } from "@offprint/solvers";
import { batchLr, type Method } from "./method.js";
import { wigner, withSpike } from "./random-matrices.js";

const [spikes, overlapSpikes] = [
  [0.5, 1.5, 2, 3],
  [1.5, 2, 4],
];

/** Theorem 1 on exact random matrices. */
export function theorem(method: Pick<Method, "batchExtremes"> = batchLr): Claim {
  return {
    id: "theorem-1",
    statement:
      "Noise of batches raises the largest eigenvalue to lambda + Gamma / (b lambda), and hides it below sqrt(Gamma / b)",
    source: "Theorem 1",
    paper: "2, 2.1667, 2.5, 3.3333 for lambda = 0.5, 1.5, 2, 3 and Gamma / b = 1",
    async run({ rng, scale, onProgress }) {
      const [order, draws] = [400, scale === "full" ? 80 : 8];
      const tops = spikes.map((): number[] => []);
      for (let draw = 0; draw < draws; draw++) {
        const matrix = wigner(rng, order);
        for (const [i, spike] of spikes.entries()) {
          const found = lanczosEigenpairsSync(withSpike(matrix, order, spike), order, { tolerance: 1e-3 });
          tops[i].push(found.values[0]);
        }
        await onProgress((draw + 1) / (draws + 1));
      }
      const measured = tops.map(meanOf);
      const expected = (lambda1: number) => method.batchExtremes({ lambda1, gamma: 1, effective: 1 });
      const apart = measured.map((top, i) => Math.abs(top - expected(spikes[i]).top));
      const large = 1200;
      const noise = wigner(rng, large);
      const overlaps = overlapSpikes.map((spike) => {
        const { vectors } = lanczosEigenpairsSync(withSpike(noise, large, spike), large, { tolerance: 1e-3 });
        return vectors[0] ** 2;
      });
      const overlapApart = overlaps.map((overlap, i) => Math.abs(overlap - expected(overlapSpikes[i]).overlap));
      return {
        measured: Object.fromEntries(spikes.map((spike, i) => [`lambda ${spike}`, measured[i]])),
        holds: Math.max(...apart) <= 0.1 && Math.max(...overlapApart) <= 0.1,
        detail:
          `Means of ${draws} matrices of order ${order}: each must be within 0.1 of the theorem's (largest difference ` +
          `${figure(Math.max(...apart))}). Squared overlaps of one of order ${large} must be within 0.1 of the theorem's ` +
          `(${figure(Math.max(...overlapApart))}).`,
        tables: [
          {
            title: "Squared overlap of the top eigenvector with the true one",
            columns: ["lambda", "theorem", "measured"],
            rows: overlapSpikes.map((spike, i) => [spike, expected(spike).overlap, overlaps[i]]),
          },
        ],
        series: [
          {
            kind: "line",
            title: "Largest eigenvalue of a matrix with a spike, in noise of radius 2",
            x: { label: "spike" },
            y: { label: "largest eigenvalue" },
            curves: [
              {
                name: "theorem",
                x: Array.from({ length: 60 }, (_, i) => 0.1 + i * 0.05),
                y: Array.from({ length: 60 }, (_, i) => expected(0.1 + i * 0.05).top),
              },
              { name: "measured", x: spikes, y: measured, style: "points" },
            ],
          },
        ],
      };
    },
  };
}
