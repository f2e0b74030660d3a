import { join } from "node:path";
import {
  type CommandInput,
  defineCommand,
  exitCodes,
  type LongRun,
  option,
  requireFolder,
  stateOptions,
  type Values,
} from "@offprint/commands";
import { Table, writeCsv, writeMatrixMarket } from "@offprint/data";
import { saveFileSync } from "@offprint/data/node";
import { AbortedError } from "@offprint/tensor-core";
import {
  type LinearSystem,
  type OnlinePolicy,
  type PolicyState,
  policyFromJSON,
  type SolvedSystem,
  solveSequence,
} from "../src/index.js";
import { chosenPolicy, policyOptions } from "./policy-options.js";
import { type SystemFiles, systemFiles } from "./system-files.js";

const options = {
  rhs: option.fileIn("MatrixMarket file, one column per system; default <matrix>_b.mtx"),
  contexts: option.fileIn("CSV file with a column context, one number per system"),
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
type Solved = Omit<SolvedSystem, "x">;

/** Where a sequence stands. */
interface SequenceState {
  readonly policy: PolicyState;
  readonly solved: readonly Solved[];
  /** The last solution, for a warm start. */
  readonly x: Float64Array;
}

/** `offprint solve-sequence A1.mtx A2.mtx ... --output chosen.csv` */
export const solveSequenceCommand = defineCommand({
  name: "solve-sequence",
  summary: "Solve a sequence of sparse systems, learning the relaxation parameter",
  arguments: places,
  options,
  async run(input: Input) {
    const { arguments: named, options: chosen, print, report, note, write, longRun } = input;
    const { rhs, contexts, shift } = chosen;
    const files = await systemFiles({ matrices: named.matrices, rhs, contexts, shift });
    const run = await longRun<readonly Solved[], SequenceState>({
      progress: (solved) => ({
        fraction: solved.length / files.count,
        label: `omega ${solved.at(-1)?.setting}: ${solved.at(-1)?.iterations} iterations`,
      }),
    });
    const { resume } = run.options;
    const policy = resume ? policyFromJSON<number>(resume.policy) : await chosenPolicy(chosen, files.contexts);
    const known = policy.rounds > 0 ? `, ${policy.rounds} rounds known` : "";
    print(`${files.count} systems, ${policy.settings.length} values of omega${known}`);
    const solved = await solvedSystems(chosen, files, policy, run);
    report(summary(solved));
    const unconverged = solved.filter(({ converged }) => !converged).map(({ round }) => round + 1);
    if (unconverged.length > 0) {
      note(`Warning: ${unconverged.length} systems did not converge: ${unconverged.slice(0, 10).join(", ")}`);
    }
    await write(chosen.output, writeCsv(tableOf(solved, files)));
    await write(chosen.policyState, `${JSON.stringify(policy)}\n`);
    if (chosen.solutions !== undefined) print(`written: ${chosen.solutions}`);
    return unconverged.length === 0 ? exitCodes.success : exitCodes.negative;
  },
});

async function solvedSystems(
  { solver, tolerance, maxIterations, warmStart, solutions }: Values<typeof options>,
  files: SystemFiles,
  policy: OnlinePolicy,
  { options: run, settle }: LongRun<readonly Solved[], SequenceState>,
): Promise<readonly Solved[]> {
  if (solutions !== undefined) requireFolder(solutions);
  const solved: Solved[] = [...(run.resume?.solved ?? [])];
  const before = solved.length;
  let x = run.resume?.x ?? new Float64Array(0);
  const state = (): SequenceState => ({ policy: JSON.parse(JSON.stringify(policy)), solved: [...solved], x });
  async function* systems(): AsyncGenerator<LinearSystem> {
    for await (const system of files.systems(before)) {
      if (solved.length > before) await run.checkpoint.save(state());
      await run.onProgress(solved);
      yield solved.length === before && warmStart && x.length === system.A.rows ? { ...system, x0: x } : system;
    }
  }
  try {
    await solveSequence(systems(), policy, {
      solver,
      tolerance,
      maxIterations,
      warmStart,
      signal: run.signal,
      onSolution({ x: solution, round, ...rest }) {
        solved.push({ ...rest, round: before + round });
        x = solution;
        if (solutions === undefined) return;
        const path = join(solutions, `x-${solved.length}.mtx`);
        saveFileSync(path, writeMatrixMarket({ shape: [x.length, 1], values: x }));
      },
    });
  } catch (error) {
    if (!(error instanceof AbortedError)) throw error;
  }
  await settle({ status: run.signal.aborted ? "aborted" : "limit", state: state() });
  return solved;
}

/** Totals, and how often each omega was taken. */
function summary(solved: readonly Solved[]): [string, string | number][] {
  const mean = (part: readonly Solved[]) =>
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

function tableOf(solved: readonly Solved[], { contexts }: SystemFiles): Table {
  const column = (name: string, value: (one: Solved, t: number) => number) => ({
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
