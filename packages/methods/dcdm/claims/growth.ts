import { type Claim, figure, growthOf, leastIterationSeconds, medianOf, processorSeconds } from "@offprint/claims";
import { conjugateGradientsSync, geometricMultigrid, incompleteCholesky } from "@offprint/solvers";
import { macGrid, poissonMatrix } from "../src/index.js";
import { type Method, published } from "./method.js";
import { directions, judged, noise } from "./systems.js";

const sizes = [32, 64, 128];
const tolerance = 1e-4;
const names = ["a network", "conjugate gradients", "incomplete Cholesky", "multigrid"] as const;

/** Figures of the claim. */
export interface GrowthFigures {
  readonly converged: boolean;
  /** Iterations at each size, of the network and of conjugate gradients. */
  readonly ours: readonly number[];
  readonly plain: readonly number[];
  /** Power of the cells with which the time of an iteration grows. */
  readonly power: number;
}

/** The criterion. */
export function judgeGrowth({ converged, ours, plain, power }: GrowthFigures): boolean {
  return converged && ours.every((count, i) => count <= plain[i] / 3) && power <= 1.5;
}

/** Work over sixteen times the cells. `clock` other than usual is for tests. */
export function growth(method: Method = published, clock = leastIterationSeconds): Claim {
  return {
    id: "growth",
    statement:
      "From 32 x 32 to 128 x 128 cells the same network takes a third of the iterations of conjugate gradients at most, each in linear time",
    source: "Section 5, grids finer than that of training",
    paper: "iterations nearly independent of the grid",
    async run(context) {
      const params = await judged(context);
      const counts: Record<(typeof names)[number], number>[] = [];
      const times: Record<(typeof names)[number], number>[] = [];
      const perIteration: number[] = [];
      let converged = true;
      for (const size of sizes) {
        const grid = macGrid([size, size]);
        const a = poissonMatrix(grid);
        const map = directions(params, grid);
        const sides = Array.from({ length: 2 }, () => noise(context.rng, grid));
        const runs = [];
        for (const b of sides) runs.push(await method.dcdm(a, b, map, { tolerance, maxIterations: 300 }));
        converged &&= runs.every(({ status }) => status === "converged");
        const second = await clock((tick) => method.dcdm(a, sides[0], map, { maxIterations: 6, onProgress: tick }));
        perIteration.push(second);
        const preconditioners = {
          "conjugate gradients": undefined,
          "incomplete Cholesky": incompleteCholesky(a).apply,
          multigrid: geometricMultigrid(a, { grid: [size, size] }).apply,
        };
        const iterations = medianOf(runs.map((run) => run.iterations));
        const count: Record<string, number> = { "a network": iterations };
        const time: Record<string, number> = { "a network": iterations * second };
        for (const [name, preconditioner] of Object.entries(preconditioners)) {
          const found = sides.map((b) => {
            const before = processorSeconds();
            const options = { tolerance, ...(preconditioner && { preconditioner }) };
            const run = conjugateGradientsSync(a, b, options);
            return { iterations: run.iterations, seconds: processorSeconds() - before };
          });
          count[name] = medianOf(found.map((each) => each.iterations));
          time[name] = Math.min(...found.map((each) => each.seconds));
        }
        counts.push(count as (typeof counts)[number]);
        times.push(time as (typeof times)[number]);
        await context.onProgress(counts.length / sizes.length, `${size} x ${size} cells`);
      }
      const cells = sizes.map((size) => size * size);
      const of = (table: typeof counts, name: (typeof names)[number]) => table.map((row) => row[name]);
      const [ours, plain] = [of(counts, "a network"), of(counts, "conjugate gradients")];
      const power = growthOf(cells, perIteration);
      const plot = (title: string, label: string, table: typeof counts, unit?: string) => ({
        kind: "line" as const,
        title,
        x: { label: "cells", scale: "log" as const },
        y: { label, scale: "log" as const, ...(unit !== undefined && { unit }) },
        curves: names.map((name) => ({ name, x: cells, y: of(table, name), style: "line-points" as const })),
      });
      return {
        measured: {
          "128 x 128, of conjugate gradients": ours[2] / plain[2],
          "iterations, power of the cells": growthOf(cells, ours),
          "time of one, power of the cells": power,
        },
        holds: judgeGrowth({ converged, ours, plain, power }),
        detail:
          `White noise, to 1e-4: at most a third of conjugate gradients at every size (${ours.map((count, i) => `${figure(count)} of ${figure(plain[i])}`).join(", ")}), and the processor ` +
          `time of an iteration may grow with the power 1.5 of the cells at most (${figure(power)}). Beyond twice the size it was trained on the network needs more iterations; incomplete ` +
          `Cholesky takes ${of(counts, "incomplete Cholesky").join(", ")}, multigrid ${of(counts, "multigrid").join(", ")}, and both are quicker.`,
        series: [plot("Iterations to 1e-4", "iterations", counts), plot("Time to 1e-4", "processor time", times, "s")],
      };
    },
  };
}
