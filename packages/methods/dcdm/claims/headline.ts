import { type Claim, figure, medianOf } from "@offprint/claims";
import { conjugateGradientsSync } from "@offprint/solvers";
import { type MacGrid, macGrid, poissonMatrix, preconditionerBy } from "../src/index.js";
import { type Method, published } from "./method.js";
import { network } from "./recipe.js";
import { boxWithDisc, directions, judged, noise, rightSides, rivals } from "./systems.js";

interface Counts {
  readonly ours: readonly number[];
  readonly plain: readonly number[];
  readonly incomplete: readonly number[];
  readonly converged: boolean;
}

async function counted(
  method: Method,
  params: Parameters<typeof directions>[0],
  grid: MacGrid,
  sides: readonly Float64Array[],
  tolerance = 1e-4,
): Promise<Counts> {
  const a = poissonMatrix(grid);
  const map = directions(params, grid);
  const runs = [];
  for (const b of sides) runs.push(await method.dcdm(a, b, map, { tolerance, maxIterations: 300 }));
  const others = sides.map((b) => rivals(grid, b, tolerance));
  return {
    ours: runs.map(({ iterations }) => iterations),
    plain: others.map(({ plain }) => plain),
    incomplete: others.map(({ incomplete }) => incomplete),
    converged: runs.every(({ status }) => status === "converged"),
  };
}

const named = (of: ClaimScale) => (of === "quick" ? "the network that ships" : "a network trained with this seed");
type ClaimScale = "quick" | "full";

/** Claim 2: fewer iterations. */
export function headline(method: Method = published): Claim {
  return {
    id: "iterations",
    statement:
      "A network gives directions with which a third of the iterations of conjugate gradients suffice, and fewer than with an incomplete factorisation",
    source: "Section 5, tables of iterations",
    paper: "fewer than CG, deflated PCG and IC-PCG",
    async run(context) {
      const params = await judged(context);
      const grid = macGrid([32, 32]);
      const sides = rightSides(context.rng, grid, poissonMatrix(grid));
      const found = await counted(method, params, grid, sides);
      const [ours, plain, incomplete] = [found.ours, found.plain, found.incomplete].map((each) => medianOf(each));
      const exact = await counted(method, params, grid, sides.slice(0, 2), 1e-8);
      const preconditioner = preconditionerBy(network, params, grid.extents);
      const fixed = sides.slice(0, 2).map((b) => {
        const options = { tolerance: 1e-8, maxIterations: 300, preconditioner };
        return conjugateGradientsSync(poissonMatrix(grid), b, options).iterations;
      });
      return {
        measured: { "median iterations": ours, "conjugate gradients": plain, "with incomplete Cholesky": incomplete },
        holds: found.converged && exact.converged && ours <= plain / 3 && ours < incomplete,
        detail:
          `To 1e-4 on 32 x 32, ${named(context.scale)}, six right-hand sides: the median must be at most a third of that of conjugate gradients and below that with incomplete Cholesky (${figure(ours)}, ${figure(plain)}, ${figure(incomplete)}); ` +
          `to 1e-8 it must converge, too (${exact.ours.join(", ")}; as a fixed preconditioner of conjugate gradients, which it need not suit, ${fixed.join(", ")} of at most 300). A network costs much more than a product with A: at this size conjugate gradients are quicker by the clock.`,
        tables: [
          {
            title: "Iterations to 1e-4",
            columns: ["right-hand side", "with a network", "conjugate gradients", "with incomplete Cholesky"],
            rows: found.ours.map((count, i) => [
              i < 4 ? "white noise" : i === 4 ? "A times white noise" : "smooth",
              count,
              found.plain[i],
              found.incomplete[i],
            ]),
          },
        ],
      };
    },
  };
}

/** Claim 3: other domains and sizes. */
export function unseen(method: Method = published): Claim {
  return {
    id: "unseen-domains",
    statement: "The same network serves a box with an obstacle and a finer grid",
    source: "Section 5, one network for all",
    paper: "converges as well",
    async run(context) {
      const params = await judged(context);
      const [box, disc, fine] = [macGrid([32, 32]), boxWithDisc(32), macGrid([64, 64])];
      const rows: { name: string; ours: number; plain: number }[] = [];
      let converged = true;
      for (const [name, grid] of [
        ["box", box],
        ["disc", disc],
        ["64 x 64", fine],
      ] as const) {
        const sides = Array.from({ length: 4 }, () => noise(context.rng, grid));
        const found = await counted(method, params, grid, sides);
        converged &&= found.converged;
        rows.push({ name, ours: medianOf(found.ours), plain: medianOf(found.plain) });
      }
      const growth = rows[2].ours / rows[0].ours;
      return {
        measured: {
          "disc, of conjugate gradients": rows[1].ours / rows[1].plain,
          "64 x 64": rows[2].ours / rows[2].plain,
          "64 to 32": growth,
        },
        holds: converged && rows[1].ours <= rows[1].plain / 3 && rows[2].ours <= rows[2].plain / 3 && growth < 2.2,
        detail:
          `Medians over four right-hand sides of white noise, ${named(context.scale)}: at most a third of conjugate gradients with a disc and on 64 x 64, and there less than 2.2 times those on 32 x 32 (${figure(growth)}): ` +
          `${rows.map(({ name, ours, plain }) => `${name} ${figure(ours)} of ${figure(plain)}`).join(", ")}.`,
        series: [
          {
            kind: "bar",
            title: "Iterations to 1e-4",
            category: "domain",
            categories: rows.map(({ name }) => name),
            value: { label: "iterations" },
            bars: [
              { name: "with a network", values: rows.map(({ ours }) => ours) },
              { name: "conjugate gradients", values: rows.map(({ plain }) => plain) },
            ],
          },
        ],
      };
    },
  };
}
