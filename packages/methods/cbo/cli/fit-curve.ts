import {
  type CommandInput,
  defineCommand,
  exitCodes,
  Failure,
  formulaWith,
  numbersOf,
  type Options,
  option,
  readFormula,
  readTable,
  seedOption,
  stateOptions,
  tableOptions,
} from "@offprint/commands";
import { readCsv, writeCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { div, slice, ValueError } from "@offprint/tensor-core";
import type { SwarmRecord, SwarmResult } from "../src/index.js";
import type { Curve } from "./curve.js";
import { type Search, searchOf } from "./fit.js";
import { type Found, factsOf, picture, tableOf } from "./fit-files.js";
import { outcomeOf } from "./fit-outcome.js";
import type { Bounds } from "./search-region.js";

/** Sizes of numbers whose squares, and those of what is fitted to them, are numbers. */
const [TINY, HUGE] = [1e-70, 1e70];
/** Correlation of two errors above which the user is told. */
const ALIKE = 0.999;

const options = {
  table: option.fileIn("table with a header (CSV)", { required: true, short: "t" }),
  formula: option.parsed(
    "what the target is, of columns and of parameters, which are all other names: a * exp(-b * x) + c; other names than words in brackets: [dose (mg)]",
    "formula",
    readFormula,
    { required: true },
  ),
  target: tableOptions.target,
  deviations: option.text("column of standard deviations of the target; default the same for all rows"),
  bounds: option.list(
    option.parsed(
      "limits of parameters: a:0..10,b:0.. ; what is not bounded is searched for at any size",
      "name:low..high",
      readBounds,
    ),
    { default: [] },
  ),
  particles: option.integer(
    "particles of the swarm; default 40, 10 for each parameter that is searched for from five on",
    { least: 2 },
  ),
  maxIterations: option.integer("steps of all swarms together", { default: 500, least: 1, free: true }),
  ...seedOption,
  output: option.fileOut("file for the parameters and their errors (JSON)", { short: "o", endings: [".json"] }),
  predictions: option.fileOut("file for the table's columns beside the curve (CSV)", { endings: [".csv"] }),
  plot: option.fileOut("file for a picture of the curve (SVG)", { endings: [".svg"] }),
  ...stateOptions,
};

type Input = CommandInput<Options, typeof options>;

/** Limits of a parameter as they were given. */
export interface ParameterBounds {
  readonly name: string;
  readonly lower?: number;
  readonly upper?: number;
}

function readBounds(text: string): ParameterBounds {
  const [, name, low, high] = /^(.+?)\s*:(.*?)\.\.(.*)$/.exec(text) ?? [];
  const [lower, upper] = [low, high].map((side) =>
    side === undefined || side.trim() === "" ? undefined : Number(side),
  );
  if (name === undefined || (lower === undefined && upper === undefined)) {
    throw new ValueError(`"${text}" gives no bounds; write name:low..high, name:low.. or name:..high`);
  }
  if (![lower ?? 0, upper ?? 0].every(Number.isFinite)) throw new ValueError(`"${text}" has a bound that is no number`);
  if (lower !== undefined && upper !== undefined && !(lower < upper)) {
    throw new ValueError(`"${text}" bounds nothing; the lower bound must be less than the upper one`);
  }
  return { name, ...(lower !== undefined && { lower }), ...(upper !== undefined && { upper }) };
}

/** `offprint fit-curve --table data.csv --formula "a * exp(-b * x) + c" --output fit.json --plot fit.svg` */
export const fitCurveCommand = defineCommand({
  name: "fit-curve",
  summary: "Fit the parameters of your own formula to a table, from no starting values",
  options,
  async run(input) {
    const { curve, target } = await readCurve(input.options);
    const bounds = boundsOf(curve, input.options.bounds);
    const names = Object.keys(curve.columns);
    const rows = curve.target.size;
    input.print(`${rows} rows; ${target} of ${names.join(", ")}; to be fitted: ${curve.parameters.join(", ")}`);
    if (rows < curve.parameters.length) {
      throw new Failure(
        `${rows} rows do not determine ${curve.parameters.length} parameters; give at least as many rows`,
      );
    }
    const search = searchOf(curve, bounds);
    const swarm = search.searched.length === 0 ? undefined : await swarmOf(search, input);
    const found = await search.finish(swarm?.best.x).catch((cause) => withoutValue(cause, curve.parameters));
    const fit = outcomeOf(curve, search, found);
    const all = { curve, target, found, fit, swarm };
    tell(input, all);
    const { output, predictions, plot } = input.options;
    if (predictions !== undefined) await input.write(predictions, writeCsv(tableOf(all)));
    if (plot !== undefined) await input.write(plot, picture(all));
    await input.write(output, `${JSON.stringify(factsOf(all), null, 2)}\n`);
    if (output === undefined) input.note("--output <file> keeps the parameters, --plot <file> draws the curve.");
    return found.settled ? undefined : exitCodes.negative;
  },
});

async function readCurve({ table: path, formula, target, deviations }: Input["options"]) {
  const { names } = await loadFile(path, (bytes) => readCsv(bytes));
  const column = target ?? names.at(-1);
  const used = formula.names.filter((name) => names.includes(name));
  const parameters = formula.names.filter((name) => !names.includes(name));
  if (column !== undefined && used.includes(column)) {
    throw new Failure(
      `--formula: ${column} is the target, which the formula is to give; take it out, or name another --target`,
    );
  }
  if (used.length === 0) {
    throw new Failure(`--formula: there is no column of the table in it; the table has ${names.join(", ")}`);
  }
  if (parameters.length === 0) throw new Failure("--formula: all names are columns; there is nothing to be fitted");
  const reserved = parameters.find((name) => name in {});
  if (reserved !== undefined) throw new Failure(`--formula: ${reserved} cannot name a parameter; take another name`);
  const features = deviations === undefined || used.includes(deviations) ? used : [...used, deviations];
  const table = await readTable(path, { ...(target !== undefined && { target }), features });
  const columns = Object.fromEntries(table.features.map((name, j) => [name, slice(table.inputs, [null, j])]));
  const values = numbersOf(table).reshape([-1]).cast("float64");
  const errors = deviations === undefined ? undefined : columns[deviations];
  for (const [name, column] of Object.entries({ ...columns, [table.targetName]: values })) {
    requireSize(path, name, column.data());
  }
  const wrong = errors === undefined ? -1 : Array.from(errors.data()).findIndex((error) => !(error > 0));
  if (wrong >= 0) throw new Failure(`${path}: column ${deviations} is not above 0 in row ${wrong + 1}; deviations are`);
  const curve: Curve = {
    formula,
    parameters,
    target: values,
    columns: Object.fromEntries(used.map((name) => [name, columns[name]])),
    weights: errors === undefined ? 1 : div(1, errors),
  };
  return { curve, target: table.targetName };
}

/** Numbers of a column whose squares would overflow, or vanish. */
function requireSize(path: string, name: string, values: ArrayLike<number>): void {
  const most = Array.from(values).reduce((size, value) => Math.max(size, Math.abs(value)), 0);
  if (most === 0 || (most > TINY && most < HUGE)) return;
  throw new Failure(
    `${path}: the numbers of column ${name} have the size ${most}; give them in a unit in which it is between ${TINY} and ${HUGE}`,
  );
}

/** @throws Failure that names the formula where `cause` is that it has no value. */
function withoutValue(cause: unknown, parameters: readonly string[]): never {
  if (!(cause instanceof ValueError && /finite at (none|the initial point)/.test(cause.message))) throw cause;
  throw new Failure(
    `--formula: it has no value in some row whatever ${parameters.join(", ")} may be; mend it, or give --bounds within which it has one`,
  );
}

function boundsOf({ parameters }: Curve, given: readonly ParameterBounds[]): Record<string, Bounds> {
  for (const [i, { name }] of given.entries()) {
    if (!parameters.includes(name)) {
      throw new Failure(`--bounds: ${name} is no parameter of the formula; it has ${parameters.join(", ")}`);
    }
    if (given.findIndex((each) => each.name === name) < i) throw new Failure(`--bounds: ${name} is bounded twice`);
  }
  return Object.fromEntries(given.map(({ name, lower = -Infinity, upper = Infinity }) => [name, [lower, upper]]));
}

async function swarmOf(search: Search, { options, longRun, note }: Input): Promise<SwarmResult> {
  const { maxIterations, particles, seed } = options;
  const run = await longRun<SwarmRecord, SwarmResult["state"]>({
    progress: ({ iteration, best, restarts }) => ({
      fraction: iteration / maxIterations,
      label: `swarm ${restarts + 1}, left ${Math.sqrt(best).toPrecision(3)}`,
    }),
  });
  const swarm = await search
    .run({
      ...{ maxIterations, seed, recordPath: false },
      ...(particles !== undefined && { particles }),
      ...run.options,
    })
    .catch((cause) => withoutValue(cause, search.searched));
  await run.settle(swarm);
  if (swarm.status === "limit") {
    note("The swarms did not find the same point twice: more --max-iterations or --particles may find a better one.");
  }
  return swarm;
}

function tell({ print, report, note }: Input, { curve, target, found, fit, swarm }: Found): void {
  const { values, atBound, settled } = found;
  const { undetermined, standardErrors } = fit;
  const lost = undetermined.flat();
  report(
    curve.parameters.map((name) => {
      const error = standardErrors[name];
      const told = Number.isFinite(error) ? `± ${error.toPrecision(2)}` : "";
      return [
        name,
        `${Number(values[name].toPrecision(8))} ${atBound.includes(name) ? "at its bound" : lost.includes(name) ? "not determined" : told}`.trim(),
      ];
    }),
  );
  report([
    [
      "standard deviation around the curve",
      Number.isFinite(fit.deviation) ? fit.deviation.toPrecision(4) : "unknown: no rows are left over",
    ],
    ["R2", Number.isFinite(fit.r2) ? fit.r2.toPrecision(6) : "none: the target is constant"],
    ...(swarm === undefined
      ? []
      : [["swarms, evaluations", `${swarm.state.inner.restarts + 1}, ${swarm.evaluations}`] as const]),
  ]);
  print(`${target} = ${formulaWith(curve.formula, values)}`);
  for (const group of undetermined) {
    note(
      group.length === 1
        ? `The rows do not determine ${group[0]}: it can be changed while the curve stays as it is.`
        : `The rows do not determine ${group.join(", ")} each: they can be changed together while the curve stays as it is.`,
    );
  }
  for (const [i, one] of curve.parameters.entries()) {
    for (const other of curve.parameters.slice(i + 1)) {
      const alike = fit.correlation(one, other);
      if (Math.abs(alike) > ALIKE)
        note(
          `${one} and ${other} can hardly be told apart: their errors have the correlation ${alike.toPrecision(6)}.`,
        );
    }
  }
  if (!settled) note("The last descent did not come to its end; the parameters are near the best ones.");
}
