import { join } from "node:path";
import { type CommandInput, defineCommand, exitCodes, option, requireFolder, stateOptions } from "@offprint/commands";
import { Table, writeCsv, writeMatrixMarket } from "@offprint/data";
import { saveFileSync } from "@offprint/data/node";
import type { RunState } from "@offprint/solvers";
import {
  type OnlinePolicy,
  policyFromJSON,
  type SequenceState,
  type SolvedRound,
  type SolvedSystem,
  solveSequence,
} from "../src/index.js";
import { chosenPolicy, policyOptions } from "./policy-options.js";
import { type SystemFiles, systemFiles } from "./system-files.js";

const options = {
  rhs: option.fileIn("MatrixMarket file, one column per system; default <matrix>_b.mtx"),
  contexts: option.fileIn("CSV file with a column context, or one column only: a number per system"),
  shift: option.flag("the contexts are shifts c: solve (A + c I) x = b"),
  solver: option.choice(["sor", "ssor", "ssor-cg"], "solver of each system", { default: "sor" }),
  ...policyOptions,
  tolerance: option.number("relative residual to reach", { default: 1e-8, above: 0 }),
  maxIterations: option.integer("most iterations for one system", { default: 10000, least: 1 }),
  warmStart: option.flag("start from the solution before"),
  output: option.fileOut("file with omega, iterations, convergence of every system (CSV)", { short: "o" }),
  solutions: option.folderOut("folder for the solutions, x-1.mtx, x-2.mtx, ..."),
  ...stateOptions,
};
const places = {
  matrices: option.many(
    option.fileIn("MatrixMarket files (.mtx, .mtx.gz) in order, or folders of them; one may serve all systems", {
      kind: "either",
    }),
    { required: true },
  ),
};

type Input = CommandInput<typeof places, typeof options>;
type State = RunState<SequenceState, SolvedRound>;

/** `offprint solve-sequence A1.mtx A2.mtx ... --output chosen.csv` */
export const solveSequenceCommand = defineCommand({
  name: "solve-sequence",
  summary: "Solve a sequence of sparse systems, learning the relaxation parameter",
  arguments: places,
  options,
  async run(input: Input) {
    const { arguments: named, options: chosen, print, report, note, refuse, write, longRun } = input;
    const { rhs, contexts, shift } = chosen;
    const files = await systemFiles({ matrices: named.matrices, rhs, contexts, shift });
    const run = await longRun<SolvedRound, State>({
      progress: ({ round, setting, iterations }) => ({
        fraction: (round + 1) / files.count,
        label: `omega ${setting}: ${iterations} iterations`,
      }),
    });
    const known = run.options.resume?.inner.policy;
    const policy = known ? policyFromJSON<number>(known) : await chosenPolicy(chosen, files.contexts, refuse);
    const rounds = policy.rounds > 0 ? `, ${policy.rounds} rounds known` : "";
    print(`${files.count} systems, ${policy.settings.length} values of omega${rounds}`);
    const { solver, tolerance, maxIterations, warmStart, solutions } = chosen;
    const result = await solveSequence((done) => files.systems(done), policy, {
      ...{ solver, tolerance, maxIterations, warmStart },
      ...(solutions !== undefined && { onSolution: solutionWriter(solutions) }),
      ...run.options,
    });
    await run.settle(result);
    const solved = result.history;
    report(summary(solved));
    const unconverged = result.unconverged.map((round) => round + 1);
    if (unconverged.length > 0) {
      note(`Warning: ${unconverged.length} systems did not converge: ${unconverged.slice(0, 10).join(", ")}`);
    }
    const outside = beyondRange(solved, files, result.policy);
    if (outside > 0) {
      note(
        `Warning: ${outside} of ${solved.length} contexts lie outside the policy's range, and count as its ends; give --range before it has learned.`,
      );
    }
    await write(chosen.output, writeCsv(tableOf(solved, files)));
    await write(chosen.policyState, `${JSON.stringify(result.policy)}\n`);
    if (chosen.solutions !== undefined) print(`written: ${chosen.solutions}`);
    return unconverged.length === 0 ? exitCodes.success : exitCodes.negative;
  },
});

/** Writes solutions as they come: they are too large to be kept. The folder is made for the first one, not for none. */
function solutionWriter(folder: string): (solved: SolvedSystem) => void {
  let made = false;
  return ({ x, round }) => {
    if (!made) requireFolder(folder);
    made = true;
    saveFileSync(join(folder, `x-${round + 1}.mtx`), writeMatrixMarket({ shape: [x.length, 1], values: x }));
  };
}

/** How many contexts a policy with a range took for its ends. */
function beyondRange(solved: readonly SolvedRound[], { contexts }: SystemFiles, policy: OnlinePolicy): number {
  const range = policy.toJSON().memory["range"];
  if (contexts === undefined || !Array.isArray(range)) return 0;
  const [low, high] = range as [number, number];
  return solved.filter(({ round }) => {
    const context = contexts[round % contexts.length]!;
    return context < low || context > high;
  }).length;
}

/** Totals, and how often each omega was taken. */
function summary(solved: readonly SolvedRound[]): [string, string | number][] {
  const mean = (part: readonly SolvedRound[]) =>
    (part.reduce((sum, { iterations }) => sum + iterations, 0) / part.length).toFixed(1);
  const half = Math.floor(solved.length / 2);
  const counts = new Map<number, number>();
  for (const { setting } of solved) counts.set(setting, (counts.get(setting) ?? 0) + 1);
  const often = [...counts].sort(([, a], [, b]) => b - a).slice(0, 5);
  return [
    ["iterations", solved.reduce((sum, { iterations }) => sum + iterations, 0)],
    ["per system", mean(solved)],
    ...(half < 10
      ? []
      : ([
          ["per system, first half", mean(solved.slice(0, half))],
          ["per system, second half", mean(solved.slice(half))],
        ] satisfies [string, string][])),
    ["omega", often.map(([omega, count]) => `${omega} (${count})`).join(", ")],
  ];
}

function tableOf(solved: readonly SolvedRound[], { contexts }: SystemFiles): Table {
  const column = (name: string, value: (one: SolvedRound, t: number) => number) => ({
    name,
    type: "number" as const,
    values: Float64Array.from(solved, value),
  });
  return new Table([
    column("system", ({ round }) => round + 1),
    ...(contexts === undefined ? [] : [column("context", (_, t) => contexts[t % contexts.length]!)]),
    column("omega", ({ setting }) => setting),
    column("iterations", ({ iterations }) => iterations),
    column("converged", ({ converged }) => Number(converged)),
    column("residual", ({ relativeResidual }) => relativeResidual),
  ]);
}
