import { type Claim, figure, growthOf, leastIterationSeconds } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import { forcedFlows, persistence } from "../src/index.js";
import { SPACING, WINDOW } from "./experiment.js";
import { type Method, spectralRefiner } from "./method.js";

const points = [16, 32, 64];

/** Time over sixteen times the points. `clock` other than usual is for tests. */
export function nearLinearCost(method: Method = spectralRefiner, clock = leastIterationSeconds): Claim {
  return {
    id: "near-linear-cost",
    statement: "An iteration of the refinement costs transforms alone: its time grows hardly faster than the points",
    source: "Section 4, Parseval's identity",
    paper: "O(n^2 log n) a frame",
    async run({ seed, signal, onProgress }) {
      const seconds: number[] = [];
      for (const n of points) {
        const family = forcedFlows({ points: n });
        const still = persistence(family.draw(random.rng(`cost/${seed}`), 1).slice([0]), WINDOW);
        const modes = [n / 2, n / 2, 6] as const;
        seconds.push(
          await clock((tick) =>
            method.refine(family.system, still, {
              spacing: SPACING,
              modes,
              maxIterations: 8,
              signal,
              onProgress: tick,
            }),
          ),
        );
        await onProgress(seconds.length / points.length, `${n} x ${n} points`);
      }
      const sizes = points.map((n) => n * n);
      const power = growthOf(sizes, seconds);
      return {
        measured: power,
        holds: power <= 1.5,
        detail:
          `From ${points[0]} x ${points[0]} to ${points[2]} x ${points[2]} points, ${WINDOW} frames, the processor time of an iteration of L-BFGS may grow with the power 1.5 of the points at most ` +
          `(${figure(power)}; ${seconds.map((s) => `${figure(1e3 * s)} ms`).join(", ")}).`,
        series: [
          {
            kind: "line",
            title: "Time of an iteration",
            x: { label: "points of a frame", scale: "log" },
            y: { label: "processor time", unit: "s", scale: "log" },
            curves: [
              { name: "refinement", x: sizes, y: seconds, style: "line-points" },
              { name: "linear", x: sizes, y: sizes.map((size) => (seconds[0] * size) / sizes[0]) },
            ],
          },
        ],
      };
    },
  };
}
