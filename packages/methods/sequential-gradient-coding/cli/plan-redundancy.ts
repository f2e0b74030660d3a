import { defineCommand, option, stateOptions } from "@offprint/commands";
import { readCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError, OffprintError } from "@offprint/tensor-core";
import {
  type DelayRow,
  type LoadProfile,
  delaysOf as readDelays,
  type SchemeTime,
  type SelectableKind,
  type SelectionState,
  selectParameters,
  workCost,
} from "../src/index.js";

const names: Readonly<Record<SelectableKind, string>> = {
  uncoded: "uncoded",
  gc: "GC",
  "sr-sgc": "SR-SGC",
  "m-sgc": "M-SGC",
};

/** A scheme with its names as they are shown: those that a state has kept are in another order. */
function inOrder({ kind, parameters, load, delay, total }: SchemeTime): SchemeTime {
  const shown = ["stragglers", "burst", "window", "lambda"].filter((name) => name in parameters);
  return { kind, parameters: Object.fromEntries(shown.map((name) => [name, parameters[name]])), load, delay, total };
}

interface Recorded {
  readonly rows: DelayRow[];
  /** The load of each row, where the table says it. */
  readonly loads: ArrayLike<number> | undefined;
}

/** Rows of a table with the columns worker, round and seconds, and perhaps load. */
function recordedOf(bytes: Uint8Array): Recorded {
  const table = readCsv(bytes);
  const numbers = (name: string) => {
    const column = table.columns.find((each) => each.name === name);
    const numeric = column?.type === "number" || column?.type === "integer";
    return numeric ? (column.values as ArrayLike<number>) : undefined;
  };
  const [worker, round, seconds] = ["worker", "round", "seconds"].map((name) => {
    const values = numbers(name);
    if (values !== undefined) return values;
    throw new FormatError(
      `the table has no column "${name}" of numbers; give worker, round and seconds, numbered from 0`,
    );
  });
  return {
    rows: Array.from(worker, (who, k): DelayRow => [who, round[k], seconds[k]]),
    loads: numbers("load"),
  };
}

/** The times at each load, the least first. @throws FormatError for rows that are no such times */
function profilesOf({ rows, loads }: Recorded): LoadProfile[] {
  const delaysOf = (some: readonly DelayRow[]) => {
    try {
      return readDelays(some);
    } catch (error) {
      if (!(error instanceof OffprintError)) throw error;
      throw new FormatError(error.message.replace(/^delaysOf: /, ""), { cause: error });
    }
  };
  if (loads === undefined) return [{ load: 0, delays: delaysOf(rows) }];
  const all = [...new Set(Array.from(loads))].sort((a, b) => a - b);
  return all.map((load) => ({ load, delays: delaysOf(rows.filter((_, k) => loads[k] === load)) }));
}

/** `offprint plan-redundancy --table delays.csv --work 16` */
export const planRedundancyCommand = defineCommand({
  name: "plan-redundancy",
  summary: "Choose a coding scheme for a cluster with slow workers",
  options: {
    table: option.fileIn(
      "CSV of recorded times: columns worker, round, seconds, numbered from 0; with a column load, the work of a worker in full gradients, what work costs is found from several",
      { required: true, short: "t" },
    ),
    work: option.number(
      "seconds of a full gradient on one worker, on top of what is recorded; 0 unless given, or found from loads",
      { least: 0 },
    ),
    profileLoad: option.number(
      "part of a full gradient that the recorded times hold already; the least load of the table, or 0, unless given",
      { least: 0 },
    ),
    mu: option.number("who takes more than (1 + mu) times as long as the first is slow", { default: 1, least: 0 }),
    jobs: option.integer("gradients of the simulated run; as many as rounds were recorded unless given", { least: 1 }),
    schemes: option.list(option.choice(["uncoded", "gc", "sr-sgc", "m-sgc"], "scheme"), {
      default: ["uncoded", "gc", "sr-sgc", "m-sgc"],
      distinct: true,
    }),
    maxDelay: option.integer("largest delay T; T + 1 models are trained side by side", { default: 8, least: 0 }),
    maxBurst: option.integer("largest B", { default: 2, least: 1 }),
    maxWindow: option.integer("largest W", { default: 7, least: 2 }),
    maxLambda: option.integer("largest lambda; half the workers unless given", { least: 1 }),
    output: option.fileOut("file for all that were tried (JSON)", { short: "o", endings: [".json"] }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, refuse, longRun }) {
    if (!options.schemes.some((kind) => kind === "sr-sgc" || kind === "m-sgc")) {
      refuse(["maxDelay", "maxBurst", "maxWindow", "maxLambda"], "no scheme of --schemes has a delay or a window");
    }
    const { table, mu, jobs, schemes, maxDelay, maxBurst, maxWindow, maxLambda, output } = options;
    const profiles = await loadFile(table, (bytes) => profilesOf(recordedOf(bytes)));
    const [{ load, delays }] = profiles;
    const { work = profiles.length > 1 ? workCost(profiles).alpha : 0, profileLoad = load } = options;
    let looked = 0;
    const run = await longRun<SchemeTime, SelectionState>({
      progress: ({ kind }) => ({ fraction: Math.min(1, ++looked / 500), label: names[kind] }),
    });
    const { status, state, ...found } = await selectParameters(delays, {
      ...{ alpha: work, profileLoad, mu, schemes: schemes as SelectableKind[], maxDelay, maxBurst, maxWindow },
      ...(jobs !== undefined && { jobs }),
      ...(maxLambda !== undefined && { maxLambda }),
      ...run.options,
    });
    await run.settle({ status, state });
    const [best, choices, tried] = [inOrder(found.best), found.choices.map(inOrder), found.history.map(inOrder)];
    print(`${delays.length} workers, ${delays[0].length} rounds, ${tried.length} schemes tried`);
    for (const { kind, parameters, load, delay, total } of choices) {
      const numbers = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
      print(
        `${names[kind].padEnd(8)} ${total.toFixed(1).padStart(10)} s  load ${load.toFixed(4)}  delay ${delay}  ${numbers.join(", ")}`,
      );
    }
    if (profiles.length > 1 && options.work === undefined) {
      print(`A full gradient takes ${work.toPrecision(4)} s on one worker, from ${profiles.length} loads.`);
    }
    report([
      ["quickest", names[best.kind]],
      ["models to train side by side", best.delay + 1],
    ]);
    if (output === undefined) note("--output <file> writes all that were tried.");
    await write(output, JSON.stringify({ best, choices, tried }));
  },
});
