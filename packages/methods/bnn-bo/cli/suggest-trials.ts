import { readFile } from "node:fs/promises";
import { defineCommand, Failure, option, seedOption } from "@offprint/commands";
import { Table, writeCsv } from "@offprint/data";
import { FormatError } from "@offprint/tensor-core";
import { acquisitionNames } from "../src/acquisition.js";
import {
  type BoSurrogate,
  bayesianOptimizer,
  dkl,
  ensemble,
  gp,
  hmc,
  ibnn,
  laplace,
  sghmc,
  type Variable,
} from "../src/index.js";
import { searchSpace } from "../src/search-space.js";
import { readTrials } from "./trial-table.js";

const surrogates: Readonly<Record<string, () => BoSurrogate>> = { gp, ibnn, dkl, hmc, sghmc, ensemble, laplace };
const names = ["gp", "ibnn", "dkl", "hmc", "sghmc", "ensemble", "laplace"] as const;

/** The space as JSON: an array of variables with names. */
function spaceOf(path: string, text: string): Variable[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${path}: this is no JSON; write [{ "name": "x", "kind": "real", "lower": 0, "upper": 1 }]`, {
      cause: error,
    });
  }
  if (!Array.isArray(parsed) || !parsed.every((each) => typeof each?.name === "string")) {
    throw new FormatError(`${path}: it must be an array of variables, each with a name and a kind`);
  }
  searchSpace(path, parsed);
  return parsed;
}

/** Which objectives are maximised. */
function directions(objectives: readonly string[], maximize: boolean, minimize: readonly string[]): boolean[] {
  const unknown = minimize.find((name) => !objectives.includes(name));
  if (unknown !== undefined) {
    throw new Failure(`--minimize names ${unknown}, which is no objective; those are ${objectives.join(", ")}`);
  }
  return objectives.map((name) => maximize && !minimize.includes(name));
}

/** `offprint suggest-trials --space space.json --table trials.csv --objective yield --count 4 --output next.csv` */
export const suggestTrials = defineCommand({
  name: "suggest-trials",
  summary: "Suggest the next trials from a table of those that were made",
  options: {
    space: option.fileIn("variables (JSON): name, kind (real, integer, choice), lower and upper, or values", {
      required: true,
      endings: [".json"],
    }),
    table: option.fileIn("table of the trials so far (CSV); none for the first ones", {
      short: "t",
      endings: [".csv"],
    }),
    objective: option.list(option.text("name of a column to be optimised"), { required: true, distinct: true }),
    maximize: option.flag("whether the objectives are maximised"),
    minimize: option.list(option.text("objectives that are minimised where the others are maximised"), {
      distinct: true,
    }),
    reference: option.list(option.number("of several objectives: what is just not good enough")),
    count: option.integer("trials to suggest", { default: 1, least: 1 }),
    surrogate: option.choice(names, "what predicts", { default: "gp" }),
    acquisition: option.choice(acquisitionNames, "what is worth trying; default qEI, of several objectives qEHVI"),
    ...seedOption,
    output: option.fileOut("file for the trials (CSV)", { short: "o", endings: [".csv"] }),
  },
  async run({ options, print, report, note, write, refuse }) {
    if (!options.maximize) refuse(["minimize"], "without --maximize all objectives are minimised");
    const space = spaceOf(options.space, await readFile(options.space, "utf8"));
    const objectives = options.objective;
    if (objectives.length === 1) refuse(["reference"], "there is one objective");
    else if (options.reference?.length !== objectives.length) {
      const has = options.reference === undefined ? "is missing" : `has ${options.reference.length} values`;
      throw new Failure(`--reference ${has}; give ${objectives.length}, one for each objective`);
    }
    const varied = objectives.find((name) => space.some((variable) => variable.name === name));
    if (varied !== undefined) {
      throw new Failure(`--objective names ${varied}, which --space has as a variable; name a column of results`);
    }
    const optimizer = bayesianOptimizer(space, {
      objectives: objectives.length,
      maximize: directions(objectives, options.maximize, options.minimize ?? []),
      surrogate: surrogates[options.surrogate](),
      seed: options.seed,
      ...(options.reference && { reference: options.reference }),
      ...(options.acquisition && { acquisition: options.acquisition }),
    });
    if (options.table !== undefined) {
      const trials = await readTrials(options.table, optimizer.space, objectives);
      for (const { settings, values } of trials) optimizer.observe(settings, values);
    }
    const made = optimizer.state.trials.length;
    const suggested = await optimizer.suggest(options.count);
    report([
      ["trials so far", made],
      [
        objectives.length === 1 ? "best value" : "dominated hypervolume",
        made === 0 ? "none" : optimizer.progress.toPrecision(6),
      ],
    ]);
    for (const warning of optimizer.warnings) note(warning);
    const text = writeCsv(
      new Table(
        optimizer.space.names.map((name, j) =>
          typeof suggested[0][j] === "number"
            ? { name, type: "number" as const, values: Float64Array.from(suggested, (row) => Number(row[j])) }
            : { name, type: "text" as const, values: suggested.map((row) => String(row[j])) },
        ),
      ),
    );
    if (options.output === undefined) {
      print(text.trimEnd());
      note("--output <file> keeps them.");
    }
    await write(options.output, text);
  },
});
