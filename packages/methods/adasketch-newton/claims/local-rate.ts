import { type Claim, figure } from "@offprint/claims";
import {
  add,
  concatenate,
  dot,
  grad,
  hessian,
  jacobian,
  jitSync,
  linalg,
  mul,
  neg,
  slice,
  type Tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import { adaSketchNewton, type Sketch, sketchSolve } from "../src/index.js";
import { hockSchittkowski } from "./hock-schittkowski.js";

/** theta_k of each iteration, from 0. */
export type Schedule = (k: number) => number;

/** The schedules that the claim tells apart. */
export interface Schedules {
  readonly constant: Schedule;
  readonly decaying: Schedule;
}

const NUMBERS = [78, 77, 79, 40, 42, 6];
const DELTA = 0.5;
/** Below this a residual is rounding. */
const ROUNDING = 1e-13;

/** Newton's iteration with unit steps near a solution, each system solved until ||r|| <= theta_k delta ||res||. */
async function residuals(
  system: (x: Tensor, l: Tensor) => { K: Tensor; res: Tensor },
  start: { x: Tensor; l: Tensor },
  iterations: number,
  theta: Schedule,
  sketch: Sketch,
  seed: number,
): Promise<number[]> {
  const norms: number[] = [];
  let { x, l } = start;
  const [n, m] = [x.size, l.size];
  for (let k = 0; k <= iterations; k++) {
    const { K, res } = system(x, l);
    norms.push(linalg.norm(res).item());
    const options = { sketch, tolerance: theta(k) * DELTA, seed: `${seed}:${k}`, maxIterations: 1e6 };
    const { x: D } = await sketchSolve(K, neg(res), options);
    x = add(x, slice(D, [{ start: 0, stop: n }]));
    l = add(l, slice(D, [{ start: n, stop: n + m }]));
    if (norms[k] < ROUNDING) break;
  }
  return norms;
}

/** The local rate is linear with a constant accuracy, and superlinear where it grows. */
export function localRate(
  schedules: Schedules = { constant: () => 1, decaying: (k) => 1 / (k + 1) ** 2 },
  exact: Sketch = { kind: "exact" },
): Claim {
  return {
    id: "local-rate",
    statement:
      "Near a solution the residual falls linearly, by theta delta at least, and superlinearly where theta tends to 0",
    source: "Theorem 4.8, Corollary 4.9",
    paper: "linear; superlinear",
    async run({ rng, seed, onProgress }) {
      const problems = hockSchittkowski.filter(({ number }) => NUMBERS.includes(number));
      const rows: (string | number)[][] = [];
      const curves: { name: string; y: number[] }[] = [];
      let good = 0;
      for (const [k, { number, problem, start }] of problems.entries()) {
        const best = await adaSketchNewton(problem, start, { tolerance: 1e-11, sketch: { kind: "exact" } });
        const noise = rng.fork(number);
        const near = {
          x: add(best.x, mul(0.02, noise.normal([best.x.size], { dtype: "float64" }))),
          l: add(best.multipliers, mul(0.02, noise.normal([best.multipliers.size], { dtype: "float64" }))),
        };
        const system = kktSystem(problem);
        const kaczmarz = { kind: "kaczmarz" } as const;
        const linear = await residuals(system, near, 12, schedules.constant, kaczmarz, seed);
        const faster = await residuals(system, near, 8, schedules.decaying, kaczmarz, seed);
        const newton = await residuals(system, near, 6, () => 1e-12, exact, seed);
        const mean = (linear[12] / linear[4]) ** (1 / 8);
        const least = Math.min(...faster.slice(1).map((norm, i) => norm / faster[i]));
        const last = Math.min(...newton);
        if (mean >= 0.35 && mean <= 0.5 && least <= 0.02 && last <= 1e-11) good++;
        rows.push([`HS${number}`, mean, least, newton.length - 1, last]);
        if (k === problems.length - 1) {
          const shown = (name: string, y: number[]) => ({ name, y: y.map((norm) => Math.max(norm, 1e-17)) });
          curves.push(shown("theta = 1", linear), shown("theta = 1/(k+1)^2", faster), shown("exact", newton));
        }
        await onProgress((k + 1) / problems.length);
      }
      return {
        measured: { "as it must be": `${good} of ${problems.length}` },
        holds: good === problems.length,
        detail:
          "From the solution + 0.02 N(0, 1), delta = 0.5, unit steps, on every problem: with theta = 1 the geometric mean of the ratios " +
          "of residuals over iterations 4 to 12 must lie in [0.35, 0.5] " +
          `(${rows.map((row) => figure(row[1] as number)).join(", ")}); with theta = 1/(k+1)^2 a ratio must fall below 0.02 by iteration 8 ` +
          `(${rows.map((row) => figure(row[2] as number)).join(", ")}); exact directions must reach 1e-11 within 6 iterations.`,
        tables: [
          {
            title: "Ratios of residuals",
            columns: ["problem", "theta = 1, mean", "theta = 1/(k+1)^2, least", "exact: iterations", "exact: residual"],
            rows,
          },
        ],
        series: [
          {
            kind: "line",
            title: `HS${problems[problems.length - 1].number} near its solution`,
            x: { label: "iteration" },
            y: { label: "KKT residual", scale: "log" },
            curves,
          },
        ],
      };
    },
  };
}

/** K and the KKT residual at a point, as one compiled function. */
function kktSystem({ objective, constraints }: (typeof hockSchittkowski)[number]["problem"]) {
  const lagrangian = (x: Tensor, l: Tensor) => add(objective(x), dot(l, constraints(x)));
  return jitSync((x: Tensor, l: Tensor) => {
    const G = jacobian(constraints)(x) as Tensor;
    const top = concatenate([hessian(lagrangian)(x, l), transpose(G)], 1);
    const bottom = concatenate([G, zeros([l.size, l.size], "float64")], 1);
    const gradient = grad(lagrangian)(x, l) as Tensor;
    return { K: concatenate([top, bottom], 0), res: concatenate([gradient, constraints(x)], 0) };
  });
}
