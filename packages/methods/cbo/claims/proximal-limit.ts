import { type Claim, figure } from "@offprint/claims";
import { hostTensor } from "@offprint/tensor-core";
import { wShaped } from "./landscapes.js";
import { type Method, published } from "./method.js";

const [X, TAU, FACTOR] = [3, 0.05, 5];
const ALPHAS = [10, 100, 1000];
const GRID = { from: -4, to: 8, points: 240_001 };
const SAMPLES = 1e4;

/** For large alpha at a fixed step tau a hop is the proximal step. */
export function proximalLimit(method: Method = published): Claim {
  return {
    id: "proximal-limit",
    statement: "For alpha to infinity at fixed tau = alpha s^2, a hop becomes the proximal step",
    source: "Theorem on the Laplace principle",
    paper: "|h - prox| to 0",
    async run({ rng, onProgress }) {
      const problem = { objective: wShaped.objective };
      const prox = (await method.proximalStep(problem, [X], TAU)).data()[0];
      const spacing = (GRID.to - GRID.from) / (GRID.points - 1);
      const grid = Float64Array.from({ length: GRID.points }, (_, i) => GRID.from + i * spacing);
      // The Gaussian of the samples, variance tau / alpha, as a part of the energy: quadrature on the grid is exact.
      const column = hostTensor(grid, [grid.length, 1], "float64");
      const heights = wShaped.objective(column).data();
      const energies = grid.map((v, i) => heights[i] + (v - X) ** 2 / (2 * TAU));
      const exact: number[] = [];
      const sampled: number[] = [];
      for (const alpha of ALPHAS) {
        exact.push(method.consensusPoint(energies, column, alpha).point.data()[0]);
        const options = { width: Math.sqrt(TAU / alpha), alpha, samples: SAMPLES };
        const seed = rng
          .fork(alpha)
          .randint([], { high: 2 ** 31 - 1 })
          .item();
        sampled.push((await method.hopGradient(problem, [X], { ...options, seed })).point.data()[0]);
        await onProgress(exact.length / ALPHAS.length);
      }
      const gaps = exact.map((h) => Math.abs(h - prox));
      const ratios = [gaps[0] / gaps[1], gaps[1] / gaps[2]];
      const explicit = X - TAU * (2 * X * ((X - 4) ** 2 + 1) + 2 * X * X * (X - 4));
      return {
        measured: { "alpha 10": exact[0], "alpha 100": exact[1], "alpha 1000": exact[2], prox },
        holds: ratios.every((ratio) => ratio >= FACTOR),
        detail:
          `W-shaped energy, x = ${X}, tau = ${TAU}: |h - prox| must fall at least ${FACTOR}-fold from alpha 10 to 100 and to 1000; ` +
          `it falls ${ratios.map((ratio) => figure(ratio)).join("- and ")}-fold. An explicit gradient step gives ` +
          `${figure(explicit)}. With ${SAMPLES} samples hops reach only ${sampled.map((h) => figure(h, 4)).join(", ")}: the step ` +
          "is longer than the samples reach.",
        series: [
          {
            kind: "line",
            title: "Hop and proximal step",
            x: { label: "alpha", scale: "log" },
            y: { label: "distance to the proximal step", scale: "log" },
            curves: [
              { name: "infinitely many samples", x: ALPHAS, y: gaps, style: "line-points" },
              {
                name: `${SAMPLES} samples`,
                x: ALPHAS,
                y: sampled.map((h) => Math.abs(h - prox)),
                style: "line-points",
              },
            ],
          },
        ],
      };
    },
  };
}
