import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { CommandInput, MethodCommand } from "@offprint/claims";
import { type Column, Table, writeCsv } from "@offprint/data";
import { saveFile } from "@offprint/data/node";
import { FormatError, ValueError } from "@offprint/tensor-core";
import { type BcdOptions, type BcdSnapshot, BcdSolver, type Composite } from "../src/index.js";
import { kinds, readProblem } from "./problem.js";

/** After so many milliseconds of work other events get their turn. */
const TURN = 50;

/** The command `offprint bcd data`. */
const command: MethodCommand = {
  name: "bcd",
  summary: "minimise by block coordinate descent: regression, classification, quadratics, label propagation",
  arguments: [
    { name: "data", description: "LIBSVM text, .mtx (MatrixMarket), .csv or .npz; for labels the graph as .mtx" },
  ],
  options: [
    { name: "problem", type: "string", default: "least-squares", description: kinds.join(", ") },
    {
      name: "target",
      type: "string",
      description:
        "for .mtx the file of the right side (.mtx or .csv), or of the labels (.csv: node, value); for .csv the name of its column",
    },
    { name: "first-node", type: "number", default: 0, description: "labels: number of the first node" },
    { name: "penalty", type: "string", default: "none", description: "none, l1, nonneg, box" },
    { name: "lambda", type: "number", default: 0, description: "l1, nonneg: its weight" },
    { name: "lower", type: "number", description: "box: lower bound" },
    { name: "upper", type: "number", description: "box: upper bound" },
    { name: "block-size", type: "number", description: "variables in a block; default 5" },
    {
      name: "blocks",
      type: "string",
      description: "variable, order, sort, avg, hsort, havg, red-black, tree-partition, greedy-tree, random-tree",
    },
    { name: "rule", type: "string", description: "random, cyclic, perm, lipschitz, gs, gsl, gsd, gsq, mi, gs-q" },
    {
      name: "update",
      type: "string",
      description: "gradient, lipschitz-approx, diagonal, matrix, newton, message-passing, pg, pn, tmp",
    },
    { name: "iterations", type: "number", default: 100000, description: "most iterations" },
    {
      name: "tol",
      type: "number",
      default: 1e-8,
      description: "largest gradient, or proximal step, that counts as zero",
    },
    { name: "seed", type: "number", default: 0, description: "of random rules" },
    { name: "out", type: "string", description: "CSV file for the solution" },
    { name: "history", type: "string", description: "CSV file for the objective of each iteration" },
    {
      name: "state",
      type: "string",
      description: "JSON file from which to go on where it exists, and in which to leave the state",
    },
  ],
  run,
};

async function run({ arguments: args, options, print, onProgress, signal }: CommandInput): Promise<void> {
  const data = args["data"] as string;
  const { problem, target, state: stateFile } = options as Record<string, string | undefined>;
  const { smooth, description, table } = await readProblem(
    data,
    problem as string,
    target,
    options["first-node"] as number,
  );
  print(`${basename(data)}: ${description}`);
  const maxIterations = options["iterations"] as number;
  const solver = new BcdSolver(
    { smooth, composite: compositeOf(options) },
    {
      ...chosen(options, problem === "labels"),
      maxIterations,
      tol: options["tol"] as number,
      seed: options["seed"] as number,
      signal,
      resume: stateFile === undefined ? undefined : await savedState(stateFile),
    },
  );
  for (let last = Date.now(); solver.status === undefined; ) {
    const { iteration } = solver.step();
    if (Date.now() - last < TURN) continue;
    onProgress(iteration / maxIterations, `iteration ${iteration}, objective ${solver.state.objective.toPrecision(8)}`);
    await new Promise((resolve) => setTimeout(resolve));
    last = Date.now();
  }
  onProgress(1);
  const { iteration, objective, x } = solver.state;
  const support = solver.support().length;
  print(
    `${solver.status === "converged" ? "converged" : "not converged"} after ${iteration} iterations: objective ${objective.toPrecision(12)}`,
  );
  print(
    `${support} of ${x.length} variables are not ${options["penalty"] === "box" ? "on a bound" : "zero"}; unchanged since iteration ${solver.identifiedAt}`,
  );
  if (stateFile !== undefined) await saveFile(stateFile, `${JSON.stringify(solver.snapshot())}\n`);
  if (options["history"] !== undefined) await saveFile(options["history"] as string, historyCsv(solver));
  const out = options["out"] as string | undefined;
  if (out === undefined) return print("--out <file> writes the solution.");
  const { columns, rows } = table(x);
  await saveFile(
    out,
    writeCsv(
      new Table(
        columns.map((name, c) =>
          columnOf(
            name,
            rows.map((row) => row[c]),
          ),
        ),
      ),
    ),
  );
  print(`written: ${out}`);
}

function columnOf(name: string, values: readonly (string | number)[]): Column {
  return values.every((v) => typeof v === "number")
    ? { name, type: "number", values: Float64Array.from(values) }
    : { name, type: "text", values: values.map(String) };
}

function historyCsv(solver: BcdSolver): Uint8Array | string {
  const column = (name: "iteration" | "objective" | "support" | "blockSize"): Column => ({
    name,
    type: "number",
    values: Float64Array.from(solver.history, (record) => record[name]),
  });
  return writeCsv(new Table([column("iteration"), column("objective"), column("blockSize"), column("support")]));
}

function compositeOf(options: CommandInput["options"]): Composite {
  const kind = options["penalty"] as string;
  const lambda = options["lambda"] as number;
  if (kind === "none") return { kind };
  if (kind === "l1" || kind === "nonneg") return { kind, lambda };
  if (kind === "box")
    return { kind, lower: (options["lower"] as number) ?? -Infinity, upper: (options["upper"] as number) ?? Infinity };
  throw new ValueError(`--penalty: take none, l1, nonneg or box, got "${kind}"`);
}

/** The options of the solver that were given; a graph is solved by greedy forests unless told otherwise. */
function chosen(options: CommandInput["options"], graph: boolean): BcdOptions {
  const smooth = options["penalty"] === "none";
  const blocks =
    options["blocks"] ?? (graph && smooth && options["block-size"] === undefined ? "greedy-tree" : undefined);
  const given = { blocks, blockSize: options["block-size"], rule: options["rule"], update: options["update"] };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as BcdOptions;
}

async function savedState(path: string): Promise<BcdSnapshot | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ValueError(`--state: cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const state = JSON.parse(text) as BcdSnapshot;
    const numbers = (list: unknown) => Array.isArray(list) && list.every((v) => typeof v === "number");
    if (
      numbers(state.x) &&
      (state.lipschitz === undefined || numbers(state.lipschitz)) &&
      [state.iteration, state.supportChangedAt].every((v) => Number.isInteger(v) && v >= 0)
    ) {
      return state;
    }
  } catch {
    // Falls through: no JSON at all is as wrong as other JSON.
  }
  throw new FormatError(`${path}: it is no state that this command saved; remove it to begin anew`);
}

/** Commands for `offprint`. */
export const commands: readonly MethodCommand[] = [command];
