import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CommandInput, MethodCommand } from "@offprint/claims";
import { Table, writeCsv, writeMatrixMarket } from "@offprint/data";
import { saveFile, saveFileSync } from "@offprint/data/node";
import { ValueError } from "@offprint/tensor-core";
import { type OnlinePolicy, type SequenceSolver, type SolvedSystem, solveSequence } from "../src/index.js";
import { chosenPolicy } from "./policy-file.js";
import { type SystemFiles, systemFiles } from "./system-files.js";

const solverNames = ["sor", "ssor", "ssor-cg"];

/** The command `offprint relax A1.mtx A2.mtx ...`. */
const relax: MethodCommand = {
  name: "relax",
  summary: "solve a sequence of sparse systems, learning the relaxation parameter",
  arguments: [
    {
      name: "matrices",
      description: "MatrixMarket files (.mtx, .mtx.gz) in order, or folders of them; one matrix may serve all systems",
      variadic: true,
    },
  ],
  options: [
    { name: "rhs", type: "string", description: "MatrixMarket file, one column per system; default <matrix>_b.mtx" },
    { name: "contexts", type: "string", description: "CSV file with a column context, one number per system" },
    { name: "shift", type: "boolean", description: "the contexts are shifts c: solve (A + c I) x = b" },
    { name: "solver", type: "string", default: "sor", description: solverNames.join(", ") },
    {
      name: "policy",
      type: "string",
      description: "cheb-cb, tsallis-inf, tsallis-inf-binned, or an omega; default cheb-cb with contexts",
    },
    { name: "omegas", type: "string", default: "1:1.95:20", description: "first:last:count, or a list 1,1.3,1.6" },
    { name: "range", type: "string", description: "least and greatest context, as in 0,10; default those of the file" },
    { name: "features", type: "number", default: 6, description: "cheb-cb: Chebyshev polynomials per omega" },
    { name: "bins", type: "number", default: 5, description: "tsallis-inf-binned: parts of the range" },
    { name: "tolerance", type: "number", default: 1e-8, description: "relative residual to reach" },
    { name: "max-iterations", type: "number", default: 10000, description: "most iterations for one system" },
    { name: "warm-start", type: "boolean", description: "start from the solution before" },
    { name: "seed", type: "number", default: 0, description: "of the policy's draws" },
    { name: "state", type: "string", description: "JSON file of the policy: read if it exists, and written" },
    { name: "out", type: "string", description: "CSV file: omega, iterations, convergence of every system" },
    { name: "solutions", type: "string", description: "folder for the solutions, x-1.mtx, x-2.mtx, ..." },
  ],
  run,
};

async function run(input: CommandInput): Promise<number> {
  const { arguments: args, options, print, onProgress, signal } = input;
  const solver = options["solver"] as SequenceSolver;
  if (!solverNames.includes(solver)) {
    throw new ValueError(`--solver: take one of ${solverNames.join(", ")}, got "${solver}"`);
  }
  const files = await systemFiles({
    matrices: args["matrices"] as readonly string[],
    rhs: options["rhs"] as string | undefined,
    contexts: options["contexts"] as string | undefined,
    shift: options["shift"] === true,
  });
  const state = options["state"] as string | undefined;
  const policy = await chosenPolicy(options, files.contexts, state);
  const write = solutionWriter(options["solutions"] as string | undefined);
  const solved: Omit<SolvedSystem, "x">[] = [];
  const known = policy.rounds > 0 ? `, ${policy.rounds} rounds known` : "";
  print(`${files.count} systems, ${policy.settings.length} values of omega${known}`);
  try {
    await solveSequence(files.systems(), policy, {
      solver,
      tolerance: options["tolerance"] as number,
      maxIterations: options["max-iterations"] as number,
      warmStart: options["warm-start"] === true,
      signal,
      onSolution({ x, ...rest }) {
        solved.push(rest);
        write(x, solved.length);
        onProgress(solved.length / files.count, `omega ${rest.setting}: ${rest.iterations} iterations`);
      },
    });
  } finally {
    // Also after Ctrl-C: what was solved and learned is kept.
    if (solved.length > 0) await save(options, solved, files, policy, print);
  }
  return solved.every(({ converged }) => converged) ? 0 : 1;
}

/** Writes solutions into a folder, or nowhere. */
function solutionWriter(folder: string | undefined): (x: Float64Array, number: number) => void {
  if (folder === undefined) return () => {};
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new ValueError(`--solutions: cannot make ${folder}: ${(cause as Error).message}`, { cause });
  }
  return (x, number) => {
    saveFileSync(join(folder, `x-${number}.mtx`), writeMatrixMarket({ shape: [x.length, 1], values: x }));
  };
}

async function save(
  options: CommandInput["options"],
  solved: readonly Omit<SolvedSystem, "x">[],
  files: SystemFiles,
  policy: OnlinePolicy,
  print: (line: string) => void,
): Promise<void> {
  for (const line of summary(solved)) print(line);
  const [out, state] = [options["out"], options["state"]] as (string | undefined)[];
  if (out !== undefined) await saveFile(out, writeCsv(tableOf(solved, files)));
  if (state !== undefined) await saveFile(state, `${JSON.stringify(policy)}\n`);
  const written = [out, state, options["solutions"]].filter((path) => path !== undefined);
  if (written.length > 0) print(`written: ${written.join(", ")}`);
}

/** Totals, and how often each omega was taken. */
function summary(solved: readonly Omit<SolvedSystem, "x">[]): string[] {
  const total = solved.reduce((sum, { iterations }) => sum + iterations, 0);
  const unconverged = solved.filter(({ converged }) => !converged).map(({ round }) => round + 1);
  const lines = [`${total} iterations, ${(total / solved.length).toFixed(1)} per system`];
  const half = Math.floor(solved.length / 2);
  if (half >= 10) {
    const mean = (part: readonly { readonly iterations: number }[]) =>
      (part.reduce((sum, { iterations }) => sum + iterations, 0) / part.length).toFixed(1);
    lines.push(`first half ${mean(solved.slice(0, half))}, second half ${mean(solved.slice(half))} per system`);
  }
  const counts = new Map<number, number>();
  for (const { setting } of solved) counts.set(setting, (counts.get(setting) ?? 0) + 1);
  const often = [...counts].sort(([, a], [, b]) => b - a).slice(0, 5);
  lines.push(`omega: ${often.map(([omega, count]) => `${omega} (${count})`).join(", ")}`);
  if (unconverged.length > 0) {
    lines.push(`Warning: ${unconverged.length} systems did not converge: ${unconverged.slice(0, 10).join(", ")}`);
  }
  return lines;
}

function tableOf(solved: readonly Omit<SolvedSystem, "x">[], { contexts }: SystemFiles): Table {
  const column = (name: string, values: ArrayLike<number>) => ({
    name,
    type: "number" as const,
    values: Float64Array.from(values),
  });
  return new Table([
    column(
      "system",
      solved.map(({ round }) => round + 1),
    ),
    ...(contexts === undefined
      ? []
      : [
          column(
            "context",
            solved.map((_, t) => contexts[t % contexts.length]!),
          ),
        ]),
    column(
      "omega",
      solved.map(({ setting }) => setting),
    ),
    column(
      "iterations",
      solved.map(({ iterations }) => iterations),
    ),
    column(
      "converged",
      solved.map(({ converged }) => Number(converged)),
    ),
    column(
      "residual",
      solved.map(({ relativeResidual }) => relativeResidual),
    ),
  ]);
}

/** The command that this package adds to `offprint`. */
export const commands: readonly MethodCommand[] = [relax];
