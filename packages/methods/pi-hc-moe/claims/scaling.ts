import { type Claim, figure, growthOf, largestDifference, leastSecondsInTurn } from "@offprint/claims";
import { jitSync, type random, type Tensor } from "@offprint/tensor-core";
import { burgers, type ExpertAnswer, type ExpertTask, expertJob } from "../src/index.js";
import { inProcess } from "./in-process-experts.js";
import { type Method, published } from "./method.js";
import { waves } from "./waves.js";

const functions = 8;

/** A line of so many points, and options of so many experts, which all make six iterations. */
function lineOf(rng: random.Rng, points: number, count: number) {
  return {
    pde: burgers({ points }),
    problem: { initial: waves(rng, 1, points) },
    basis: rng.normal([1, 16, points, functions], { dtype: "float64" }),
    options: { experts: [1, count], ridge: 0.1, maxIterations: 6, tolerance: 1e-14 },
  };
}

/** The constraint of so many experts, compiled, to be run again and again. */
function constraintOf(method: Method, rng: random.Rng, points: number, count: number): () => Tensor {
  const { pde, problem, basis, options } = lineOf(rng, points, count);
  const layer = jitSync((b: Tensor) => method.hardConstraint(b, pde, problem, options).weights);
  return () => layer(basis);
}

/** Milliseconds that each expert takes, on grids of so many points: of one constraint, and of experts with a block each. */
async function timesOf(method: Method, rng: random.Rng, sizes: readonly number[], block: number) {
  const alone = sizes.map((points, k) => constraintOf(method, rng.fork(`line/${k}`), points, 1));
  const several = sizes.slice(1).map((points, k) => {
    return constraintOf(method, rng.fork(`line/${k + 1}`), points, points / block);
  });
  const runs = [...alone, ...several];
  // In turn: what slows the machine for a while must not slow one of those that are compared.
  const seconds = await leastSecondsInTurn(runs);
  const each = seconds.map((time, i) => (1e3 * time) / runs[i]().shape[1]);
  return { alone: each.slice(0, sizes.length), each: [each[0], ...each.slice(sizes.length)] };
}

/** Points that each expert holds as a job, and how far the solution is from that of all together. */
async function asJobs(method: Method, rng: random.Rng, points: number, count: number) {
  const { pde, problem, basis, options } = lineOf(rng, points, count);
  let rows = 0;
  const here = inProcess<ExpertTask, ExpertAnswer>(expertJob(pde.residual), (task, run) => {
    rows = Math.max(rows, task.data.terms.u.shape[2]);
    return run();
  });
  const { u } = await method.solveOnCluster(here, "expert", basis, pde, problem, options);
  const together = method.hardConstraint(basis, pde, problem, options);
  return { rows, apart: largestDifference(u.data(), together.u.data()) };
}

/** What one expert does stays the same as the grid and the number of experts grow. */
export function scaling(method: Method = published, small = 128): Claim {
  return {
    id: "expert-work",
    statement:
      "With a number of experts that grows with the grid, the work and memory of each stay the same; those of one constraint grow",
    source: "Section 4.3, Figure 5",
    paper: "near-constant time per step with more points and experts",
    async run({ rng, scale, onProgress }) {
      const block = scale === "full" ? 4 * small : small;
      const sizes = [1, 4, 16].map((k) => k * block);
      const { alone, each } = await timesOf(method, rng, sizes, block);
      await onProgress(0.75);
      const growth = growthOf(sizes, alone);
      const share = alone[2] / each[2];
      const { rows, apart } = await asJobs(method, rng.fork("jobs"), sizes[1], 4);
      return {
        measured: {
          "growth with the grid, one constraint": growth,
          "times less for each of 16 experts": share,
          "from all together": apart,
        },
        holds: growth >= 0.5 && share >= 8 && rows === 16 * block && apart <= 1e-6,
        detail:
          `16 x ${sizes.join(", ")} points, ${functions} functions, six iterations: time of one constraint must grow at least with the power 0.5 of the points (${figure(growth)}), ` +
          `and each of 16 experts take at most an eighth of it on the largest grid (${figure(share)} times less); as a job each holds its block alone, 16 x ${block} points (${rows}), and the solution is that of all together to 1e-6 (${figure(apart)})`,
        series: [
          {
            kind: "line",
            title: "Time of a constraint as the grid grows",
            x: { label: "points in space", scale: "log" },
            y: { label: "time", unit: "ms", scale: "log" },
            curves: [
              { name: "one for the whole grid", x: sizes, y: alone, style: "line-points" },
              { name: `each expert of ${block} points`, x: sizes, y: each, style: "line-points" },
            ],
          },
        ],
      };
    },
  };
}
