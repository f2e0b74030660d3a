import { basename } from "node:path";
import {
  type CommandInput,
  defineCommand,
  exitCodes,
  Failure,
  option,
  seedOption,
  stateOptions,
  tableOptions,
} from "@offprint/commands";
import { type Column, Table, writeCsv } from "@offprint/data";
import { type BcdRecord, type BcdResult, type BcdRunState, bcd, type Composite } from "../src/index.js";
import { kinds, readProblem } from "./problem.js";

const options = {
  problem: option.choice(kinds, "what is minimised", { default: "least-squares" }),
  target: option.text(
    "for .mtx the file of the right side (.mtx or .csv), or of the labels (.csv: node, value); for tables the name of a column",
  ),
  features: tableOptions.features,
  firstNode: option.integer("labels: number of the first node", { default: 0 }),
  penalty: option.choice(["none", "l1", "nonneg", "box"], "what is added", { default: "none" }),
  lambda: option.number("l1, nonneg: its weight; of nonneg 0 unless given", { least: 0 }),
  lower: option.number("box: lower bound"),
  upper: option.number("box: upper bound"),
  blockSize: option.integer("variables in a block; default 5, with a penalty as many as the support asks for", {
    least: 1,
  }),
  blocks: option.choice(
    ["variable", "order", "sort", "avg", "hsort", "havg", "red-black", "tree-partition", "greedy-tree", "random-tree"],
    "which blocks there are",
  ),
  rule: option.choice(
    ["random", "cyclic", "perm", "lipschitz", "gs", "gsl", "gsd", "gsq", "mi", "gs-q"],
    "which block is next",
  ),
  update: option.choice(
    ["gradient", "lipschitz-approx", "diagonal", "matrix", "newton", "message-passing", "pg", "pn", "tmp"],
    "what is done with it",
  ),
  maxIterations: option.integer("most iterations", { default: 100000, least: 1, free: true }),
  tolerance: option.number("largest gradient, or proximal step, that counts as zero", {
    default: 1e-8,
    least: 0,
    free: true,
  }),
  ...seedOption,
  output: option.fileOut("file for the solution (CSV)", { short: "o" }),
  history: option.fileOut("file for the objective of each iteration (CSV)"),
  ...stateOptions,
};
const places = {
  data: option.fileIn("LIBSVM text, .mtx (MatrixMarket), .csv or .npz; for labels the graph as .mtx", {
    required: true,
  }),
};

type Input = CommandInput<typeof places, typeof options>;

/** `offprint minimize-blocks data.csv --problem logistic --penalty l1 --lambda 0.1 --output x.csv` */
export const minimizeBlocks = defineCommand({
  name: "minimize-blocks",
  summary: "Minimise by block coordinate descent: regression, classification, quadratics, label propagation",
  arguments: places,
  options,
  async run(input: Input) {
    const { options: chosen, print, report, note, write, refuse } = input;
    const path = input.arguments.data;
    const composite = compositeOf(input);
    if (chosen.problem !== "labels") refuse(["firstNode"], "it numbers the nodes of --problem labels");
    if (chosen.problem === "labels")
      refuse(["features"], "the graph of --problem labels has no columns to choose from");
    const { problem, target, firstNode, features } = chosen;
    const { smooth, description, table } = await readProblem(path, problem, target, firstNode, features);
    print(`${basename(path)}: ${description}`);
    const { x, status, iterations, objective, support, identifiedAt, history } = await solved(input, smooth, composite);
    const converged = status === "converged";
    const off = chosen.penalty === "box" ? "not on a bound" : "not zero";
    report([
      [converged ? "converged" : "not converged", `after ${iterations} iterations`],
      ["objective", objective.toPrecision(12)],
      [off, `${support.length} of ${x.size} variables, unchanged since iteration ${identifiedAt}`],
    ]);
    await write(chosen.history, historyCsv(history));
    if (chosen.output === undefined) note("--output <file> writes the solution.");
    await write(chosen.output, solutionCsv(table(x.data() as Float64Array)));
    return converged ? exitCodes.success : exitCodes.negative;
  },
});

async function solved(
  { options: chosen, longRun }: Input,
  smooth: Awaited<ReturnType<typeof readProblem>>["smooth"],
  composite: Composite,
): Promise<BcdResult> {
  const { maxIterations, tolerance, seed, blockSize, rule, update } = chosen;
  // A graph is solved by greedy forests unless told otherwise.
  const forests = chosen.problem === "labels" && chosen.penalty === "none" && blockSize === undefined;
  const blocks = chosen.blocks ?? (forests ? "greedy-tree" : undefined);
  const run = await longRun<BcdRecord, BcdRunState>({
    progress: ({ iteration, objective }) => ({
      fraction: iteration / maxIterations,
      label: `iteration ${iteration}, objective ${objective.toPrecision(8)}`,
    }),
    every: 10,
  });
  const result = await bcd(
    { smooth, composite },
    {
      ...(blocks !== undefined && { blocks }),
      ...(blockSize !== undefined && { blockSize }),
      ...(rule !== undefined && { rule }),
      ...(update !== undefined && { update }),
      maxIterations,
      tolerance,
      seed,
      ...run.options,
    },
  );
  await run.settle(result);
  return result;
}

/** What is added. @throws Failure for an option that would do nothing, and for a penalty that says nothing. */
function compositeOf({ options, refuse }: Input): Composite {
  const { penalty: kind, lambda, lower = -Infinity, upper = Infinity } = options;
  if (kind !== "box") refuse(["lower", "upper"], `they are the bounds of --penalty box, and it is ${kind}`);
  if (kind !== "l1" && kind !== "nonneg") refuse(["lambda"], `it weighs --penalty l1 or nonneg, and that is ${kind}`);
  if (kind === "none") return { kind };
  if (kind === "box") {
    if (lower === -Infinity && upper === Infinity) throw new Failure("--penalty box needs --lower or --upper");
    return { kind, lower, upper };
  }
  if (kind === "l1" && lambda === undefined) throw new Failure("--penalty l1 needs its weight; give --lambda");
  return { kind, lambda: lambda ?? 0 };
}

function solutionCsv({ columns, rows }: { columns: string[]; rows: (string | number)[][] }): Uint8Array | string {
  return writeCsv(
    new Table(
      columns.map((name, c) =>
        columnOf(
          name,
          rows.map((row) => row[c]!),
        ),
      ),
    ),
  );
}

function columnOf(name: string, values: readonly (string | number)[]): Column {
  return values.every((v) => typeof v === "number")
    ? { name, type: "number", values: Float64Array.from(values) }
    : { name, type: "text", values: values.map(String) };
}

function historyCsv(history: readonly BcdRecord[]): Uint8Array | string {
  const column = (name: "iteration" | "objective" | "support" | "blockSize"): Column => ({
    name,
    type: "number",
    values: Float64Array.from(history, (record) => record[name]),
  });
  return writeCsv(new Table([column("iteration"), column("objective"), column("blockSize"), column("support")]));
}
