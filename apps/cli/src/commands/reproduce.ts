import { join } from "node:path";
import {
  type ClaimRecord,
  type ClaimRun,
  formatSeconds,
  formatTable,
  htmlReport,
  resumeKey,
  type Scale,
} from "@offprint/claims";
import {
  type CommandInput,
  defineCommand,
  describeError,
  deviceNames,
  deviceOptions,
  exitCodes,
  Failure,
  option,
  requireFolder,
  seedOption,
} from "@offprint/commands";
import { saveFile } from "@offprint/data/node";
import { ClaimsCluster } from "../claims-cluster.js";
import { type ClaimsEvents, ClaimsPool } from "../claims-pool.js";
import type { ClaimsOutcome, ClaimsRunner, TimedRun } from "../claims-runner.js";
import type { ClaimsTask } from "../claims-task.js";
import { clusterOptions, connectionOf } from "../cluster-options.js";
import { environmentFacts, type UsedDevice } from "../environment-facts.js";
import { findMethod, type Method, type Registry } from "../registry.js";
import { claimsAtSeeds, holdsAtSeeds, seedsTable } from "../seeds-table.js";
import { StoredClaims } from "../stored-claims.js";

const places = { methods: option.many(option.text("names from the list; all when left out")) };
const options = {
  full: option.flag("as near to the papers' settings as one machine allows; may take hours"),
  ...seedOption,
  seeds: option.integer("run every claim at so many seeds, from --seed on, and say at how many it holds", {
    default: 1,
    least: 1,
  }),
  workers: option.integer("processes that run claims side by side", { default: 1, least: 1 }),
  ...clusterOptions,
  json: option.fileOut("write the results to a JSON file"),
  report: option.folderOut("write a self-contained HTML report with plots to <folder>/index.html"),
  resume: option.flag("continue an interrupted run with the same seed, scale and device"),
  state: option.fileOut("file that keeps finished claims while a run is not complete", {
    default: "offprint-state.json",
  }),
  ...deviceOptions,
  // A choice by the clock could make a verdict differ from run to run.
  device: option.choice(
    deviceNames.filter((name) => name !== "fastest"),
    "where compiled functions run",
    { default: "auto", free: true },
  ),
};

type Input = CommandInput<typeof places, typeof options>;

/** The claims of a method under one seed. */
interface Unit {
  readonly method: Method;
  readonly seed: number;
}

/** All that one call of the command works with. */
interface Job {
  readonly input: Input;
  readonly methods: readonly Method[];
  readonly units: readonly Unit[];
  readonly scale: Scale;
  readonly used: UsedDevice;
  readonly stored: StoredClaims;
}

/** Claims that a unit could not give, because their process crashed or they could not be loaded. */
interface UnitFailure {
  readonly method: string;
  readonly seed: number;
  readonly error: string;
}

/** What all units gave. */
interface Results {
  readonly runs: readonly TimedRun[];
  readonly failures: readonly UnitFailure[];
}

function resultsOf(units: readonly Unit[], outcomes: readonly ClaimsOutcome[]): Results {
  return {
    runs: outcomes.filter((outcome): outcome is TimedRun => !(outcome instanceof Failure)),
    failures: units.flatMap(({ method, seed }, place) => {
      const outcome = outcomes[place];
      return outcome instanceof Failure ? [{ method: method.name, seed, error: outcome.message }] : [];
    }),
  };
}

function keyOf({ scale, used }: Pick<Job, "scale" | "used">, { method, seed }: Unit): string {
  return resumeKey({ method: method.name, version: method.version, seed, scale, device: used.device });
}

function verdictLine({ input }: Job, { method, seed }: Unit, record: ClaimRecord): string {
  const verdict = record.error === undefined ? (record.holds ? "holds" : "does not hold") : record.error;
  const name = `${method.name} ${record.id}${input.options.seeds > 1 ? `, seed ${seed}` : ""}`;
  return `${record.holds ? "✓" : "✗"} ${name}: ${verdict} (${formatSeconds(record.seconds)})`;
}

/** Shows the progress of all units together, and keeps what is finished. */
function eventsOf(job: Job): (place: number) => ClaimsEvents {
  const { input, units, stored } = job;
  const fractions = units.map(() => 0);
  let complained = false;
  return (place) => {
    const unit = units[place]!;
    return {
      onProgress({ fraction, claim, note }) {
        fractions[place] = fraction;
        const done = fractions.reduce((sum, part) => sum + part, 0) / units.length;
        input.progress(done, `${unit.method.name} ${claim}${note ? `: ${note}` : ""}`);
      },
      onFinished(record) {
        try {
          stored.keep(keyOf(job, unit), record);
        } catch (error) {
          // Hours of work must not end because a disk is full: it is only the way back that is lost.
          if (!complained) input.note(`Warning: finished claims are not kept: ${describeError(error).message}`);
          complained = true;
        }
        input.note(verdictLine(job, unit, record));
      },
    };
  };
}

function prepareStored(job: Job): void {
  const { input, units, stored } = job;
  const keys = units.map((unit) => keyOf(job, unit));
  const kept = stored.count(keys);
  if (input.options.resume) {
    const found = kept === 1 ? "1 finished claim" : `${kept} finished claims`;
    input.note(
      kept > 0 ? `Resuming: ${found} from ${stored.path}.` : "Nothing to resume: starting from the beginning.",
    );
    return;
  }
  if (kept === 0) return;
  input.note(`Starting anew: ${stored.path} had ${kept} finished claims, which --resume would have used.`);
  stored.discard(keys);
}

async function writeResults(job: Job, registry: Registry, { runs, failures }: Results): Promise<void> {
  const { input, methods, used } = job;
  const { json, report, threads } = input.options;
  const environment = environmentFacts(registry, methods, used, threads);
  if (json !== undefined) {
    const results = { format: "offprint-results", formatVersion: 1, environment, runs, failures };
    await saveFile(json, `${JSON.stringify(results, undefined, 2)}\n`);
    input.print(`Results: ${json}`);
  }
  if (report !== undefined) {
    const papers = Object.fromEntries(
      methods.map(({ name, title, authors, year, arxiv }) => [
        name,
        { title, authors, year, ...(arxiv ? { arxiv } : {}) },
      ]),
    );
    const path = join(report, "index.html");
    requireFolder(report);
    await saveFile(path, htmlReport(runs, { environment, papers }));
    input.print(`Report: ${path}`);
  }
}

function printTables({ print, width, colour }: Input, runs: readonly ClaimRun[]): void {
  for (const run of runs) {
    print(`\n${run.method} ${run.version}, seed ${run.seed}, ${run.scale}, device ${run.device}\n`);
    print(formatTable(run.records, { width: Math.min(width, 140), colour }));
  }
  const records = runs.flatMap((run) => run.records);
  const held = records.filter(({ holds }) => holds).length;
  print(`\n${held} of ${records.length} claims hold (${formatSeconds(secondsOf(runs))})`);
}

function printSeeds({ print, options: { seed, seeds } }: Input, job: Job, runs: readonly ClaimRun[]): void {
  const claims = claimsAtSeeds(runs);
  print(`\nseeds ${seed} to ${seed + seeds - 1}, ${job.scale}, device ${job.used.device}\n`);
  for (const line of seedsTable(claims)) print(line);
  const held = claims.filter(holdsAtSeeds).length;
  print(`\n${held} of ${claims.length} claims hold at nine seeds of ten (${formatSeconds(secondsOf(runs))})`);
}

function secondsOf(runs: readonly ClaimRun[]): number {
  return runs.reduce((sum, run) => sum + run.seconds, 0);
}

/** Nothing is left to resume; that the file cannot be removed is no failure of the run. */
function forget({ stored, input }: Job, keys: readonly string[]): void {
  try {
    stored.discard(keys);
  } catch (error) {
    input.note(`Warning: ${stored.path} is not removed: ${describeError(error).message}`);
  }
}

function interruption({ units, stored }: Job, keys: readonly string[]): Failure {
  const kept = stored.count(keys);
  const line =
    kept > 0
      ? `Interrupted. Finished claims are kept in ${stored.path} (${kept}); --resume continues.`
      : `Interrupted before one of ${units.length === 1 ? "the claims" : `the claims of ${units.length} runs`} was finished.`;
  return new Failure(line, exitCodes.interrupted);
}

/** Where the claims run. */
async function openRunner({ options, note }: Input, registry: Registry, count: number): Promise<ClaimsRunner> {
  const { cluster, device, threads, workers } = options;
  if (cluster === undefined) {
    const choice = { device, ...(threads !== undefined && { threads }) };
    return ClaimsPool.open(Math.min(workers, count), choice, note);
  }
  if (device !== "auto" && device !== "host") {
    throw new Failure(`--cluster: workers compute on the host; leave --device ${device} out.`);
  }
  return ClaimsCluster.open(connectionOf(options, cluster, registry.manifestPath), registry, note);
}

async function reproduce(input: Input, registry: Registry): Promise<number> {
  const { seed, seeds, full, report, resume } = input.options;
  if (seeds > 1 && report !== undefined)
    throw new Failure("--report shows one seed; leave --seeds out, or take --json.");
  const named = [...new Set(input.arguments.methods.map((word) => findMethod(registry, word)))];
  const methods = named.length > 0 ? named : registry.methods;
  const scale: Scale = full ? "full" : "quick";
  const stored = StoredClaims.open(input.options.state);
  const units = Array.from({ length: seeds }, (_, k) => methods.map((method) => ({ method, seed: seed + k }))).flat();
  const runner = await openRunner(input, registry, units.length);
  const job: Job = { input, methods, units, scale, used: runner.used, stored };
  const keys = units.map((unit) => keyOf(job, unit));
  try {
    prepareStored(job);
    const tasks = units.map((unit): ClaimsTask => {
      const finished = resume ? stored.finished(keyOf(job, unit)) : [];
      return { method: unit.method.name, seed: unit.seed, scale, finished };
    });
    const outcomes = await runner.run(tasks, eventsOf(job), input.signal).catch((error: unknown) => {
      throw input.signal.aborted ? interruption(job, keys) : error;
    });
    const results = resultsOf(units, outcomes);
    const { runs, failures } = results;
    if (runs.length === 0 && outcomes[0] instanceof Failure) throw outcomes[0];
    if (seeds > 1) printSeeds(input, job, runs);
    else printTables(input, runs);
    for (const { error } of failures) input.note(`✗ ${error}`);
    await writeResults(job, registry, results);
    // What a unit that broke off has finished is there for --resume.
    forget(
      job,
      keys.filter((_, place) => !(outcomes[place] instanceof Failure)),
    );
    const holds =
      seeds > 1
        ? claimsAtSeeds(runs).every(holdsAtSeeds)
        : runs.every(({ records }) => records.every((record) => record.holds));
    return holds && failures.length === 0 ? exitCodes.success : exitCodes.negative;
  } finally {
    await runner.end();
  }
}

/** `offprint reproduce`: runs the claims of methods and prints what was measured beside what the papers say. */
export function reproduceCommand(registry: Registry) {
  return defineCommand({
    name: "reproduce",
    summary: "run the claims of papers and print what was measured beside what they say",
    arguments: places,
    options,
    details:
      "Exit codes: 0 all claims hold (with --seeds: at nine seeds of ten), 1 a claim does not hold, 2 wrong usage, 130 interrupted.",
    run: (input) => reproduce(input, registry),
  });
}
