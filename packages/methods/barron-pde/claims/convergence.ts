import { type Claim, figure } from "@offprint/claims";
import { denseNewton, fromSamples, gridUnknownsLog10, quarticLagrangian, SparseFourier } from "../src/index.js";
import { type Method, published } from "./method.js";
import { cubic, fourCosines, iterates } from "./problems.js";

/** Claim 1: the iteration has the right limit. */
export function exactness(method: Method = published): Claim {
  return {
    id: "exactness",
    statement:
      "One iteration solves the linear equation, and iterates of the nonlinear one come to a dense Newton solution",
    source: "Section 5, the iteration",
    paper: 0,
    async run({ signal }) {
      const f = fourCosines(3);
      const linear = await method.descend(quarticLagrangian(), f, { tolerance: 1e-12, pruneTolerance: 0, signal });
      const apart = linear.u.subtract(f.precondition()).h1();
      const run = await method.descend(cubic, fourCosines(1), {
        tolerance: 1e-9,
        pruneTolerance: 1e-12,
        maxIterations: 120,
        signal,
      });
      const dense = fromSamples(denseNewton(fourCosines(1), { beta: 1, points: 129 }).u);
      const distance = run.u.subtract(dense).h1();
      return {
        measured: { "linear, after one iteration": apart, "nonlinear, to dense Newton": distance },
        holds: linear.iterations === 1 && apart < 1e-13 && distance < 1e-8,
        detail:
          `Without the cube ${linear.iterations} iteration must give G f (H1 distance ${figure(apart)}, below 1e-13); with it, ` +
          `${run.iterations} iterations must come to within 1e-8 of Newton's method on 129 points (${figure(distance)}).`,
      };
    },
  };
}

const quasilinear = () => ({
  lagrangian: quarticLagrangian({ beta: 0.5, gamma: 0.05 }),
  f: SparseFourier.cosines([
    { k: [1, 0], a: 8 },
    { k: [0, 1], a: 6 },
    { k: [1, 1], a: 10 },
    { k: [2, -1], a: 6 },
  ]),
});

/** Claim 2: errors shrink by the factor that the norms promise. */
export function geometricConvergence(method: Method = published): Claim {
  return {
    id: "geometric-convergence",
    statement:
      "With the automatic step errors in H1 shrink in every iteration by (Lambda - lambda) / (Lambda + lambda) at least",
    source: "Section 5, convergence of preconditioned gradient descent",
    paper: "exponential",
    async run({ onProgress, signal }) {
      const dimensions = [1, 2, 4, 8];
      const problems = [
        ...dimensions.map((d) => ({ name: `d = ${d}`, lagrangian: cubic, f: fourCosines(d) })),
        { name: "quasilinear, d = 2", ...quasilinear() },
      ];
      const rows: [string, number, number, number][] = [];
      let violations = 0;
      for (const [i, { name, lagrangian, f }] of problems.entries()) {
        const found = await iterates(method, lagrangian, f, { tolerance: 1e-4, pruneTolerance: 1e-8, signal });
        const { run } = found;
        const limit = await method.descend(lagrangian, f, {
          ...{ tolerance: 2e-6, pruneTolerance: 1e-9, initial: run.u, stepSize: 0.5, signal },
          maxIterations: 100,
        });
        const errors = found.u.map((u) => u.subtract(limit.u).h1());
        let [worst, promised] = [0, 0];
        for (const [t, { factor }] of run.history.entries()) {
          // Nearer to the limit pruning is seen.
          if (errors[t + 1] < 1e-2) break;
          const ratio = errors[t + 1] / errors[t];
          if (ratio > factor + 1e-9) violations++;
          worst = Math.max(worst, ratio);
          promised = factor;
        }
        rows.push([name, worst, promised, run.iterations]);
        await onProgress((i + 1) / problems.length);
      }
      return {
        measured: Math.max(...rows.map(([, worst]) => worst)),
        holds: violations === 0 && rows.every(([, worst]) => worst > 0 && worst < 1),
        detail:
          `No error ratio may exceed its factor (${violations} do), while errors are above .01: ` +
          `${rows.map(([name, worst, promised]) => `${name} at most ${figure(worst)}, last factor ${figure(promised)}`).join("; ")}.`,
        tables: [{ title: "Error ratios", columns: ["problem", "largest ratio", "last factor", "iterations"], rows }],
      };
    },
  };
}

/** Claim 3: the dimension does not matter. */
export function dimensionIndependence(method: Method = published): Claim {
  return {
    id: "dimension-independence",
    statement:
      "Rates, norms and numbers of modes do not depend on the dimension, where a grid needs exponentially many unknowns",
    source: "Abstract; Theorem 1, polynomial in d",
    paper: "polynomial in d",
    async run({ scale, onProgress, signal }) {
      const dimensions = scale === "full" ? [2, 4, 8, 16] : [2, 4, 8];
      const rows: { d: number; ratio: number; barron: number; modes: number; grid: number }[] = [];
      for (const d of dimensions) {
        const { history, u } = await method.descend(cubic, fourCosines(d), {
          ...{ stepSize: 0.8, maxIterations: 7, tolerance: 0, pruneTolerance: 1e-7, signal },
        });
        const ratios = history.slice(1).map(({ residual }, t) => residual / history[t].residual);
        const { k } = u.realForm();
        rows.push({
          d,
          ratio: Math.max(...ratios),
          barron: u.barron(),
          modes: u.modes,
          grid: gridUnknownsLog10(
            d,
            k.reduce((most, each) => Math.max(most, Math.abs(each)), 0),
          ),
        });
        await onProgress(rows.length / (dimensions.length + 1));
      }
      // The right-hand side has eight coordinates: more of them change nothing.
      const [eight, sixteen] = await Promise.all(
        [8, 16].map((d) =>
          method.descend(cubic, fourCosines(d), {
            stepSize: 0.8,
            maxIterations: 4,
            tolerance: 0,
            pruneTolerance: 1e-7,
            signal,
          }),
        ),
      );
      const same = Math.abs(eight.u.barron() - sixteen.u.barron()) < 1e-10 && eight.u.modes === sixteen.u.modes;
      const last = rows[rows.length - 1];
      const spread = Math.max(...rows.map(({ ratio }) => ratio)) / Math.min(...rows.map(({ ratio }) => ratio));
      const growth = last.barron / rows[0].barron;
      return {
        measured: {
          "largest error ratio": Math.max(...rows.map(({ ratio }) => ratio)),
          "norm at the largest d, to d = 2": growth,
        },
        holds: same && rows.every(({ ratio }) => ratio < 0.25) && spread < 1.25 && growth < 2 && last.grid > 6,
        detail:
          `With a fixed step of .8 residuals must shrink to a quarter at least in every iteration (${rows.map(({ d, ratio }) => `d = ${d}: ${figure(ratio)}`).join(", ")}), ` +
          `by factors within 1.25 of each other (${figure(spread)}), and the Barron norm at d = ${last.d} be below twice that at d = 2 (${figure(growth)}); ` +
          `d = 16 must ${same ? "equal and equals" : "equal, and does not equal,"} d = 8. A grid for the last solution has 10^${figure(last.grid)} unknowns; there are ${last.modes} modes.`,
        tables: [
          {
            title: "After seven iterations",
            columns: ["d", "largest ratio", "Barron norm", "modes", "log10 of grid unknowns"],
            rows: rows.map(({ d, ratio, barron, modes, grid }) => [d, ratio, barron, modes, grid]),
          },
        ],
        series: [
          {
            kind: "line",
            title: "Unknowns",
            x: { label: "dimension" },
            y: { label: "log10 of unknowns" },
            curves: [
              {
                name: "modes",
                x: rows.map(({ d }) => d),
                y: rows.map(({ modes }) => Math.log10(modes)),
                style: "line-points",
              },
              { name: "grid", x: rows.map(({ d }) => d), y: rows.map(({ grid }) => grid), style: "line-points" },
            ],
          },
        ],
      };
    },
  };
}
