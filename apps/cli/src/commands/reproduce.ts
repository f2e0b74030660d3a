import { join } from "node:path";
import {
  type ClaimRecord,
  type ClaimRun,
  formatSeconds,
  formatTable,
  htmlReport,
  resumeKey,
  runClaims,
} from "@offprint/claims";
import { saveFile } from "@offprint/data/node";
import type { Backend } from "@offprint/tensor-core";
import { type DeviceOptions, deviceOf, openBackend } from "../backend.js";
import { environmentFacts } from "../environment-facts.js";
import { exitCodes } from "../failure.js";
import { interruptible } from "../interruption.js";
import { loadClaims, type Method, type Registry } from "../registry.js";
import { StoredClaims } from "../stored-claims.js";
import type { Terminal } from "../terminal.js";
import { requireFolder, requireWritablePlace } from "../writable-place.js";

/** Options of `offprint reproduce`. */
export interface ReproduceOptions extends DeviceOptions {
  readonly full?: boolean;
  readonly seed: number;
  /** File for the results. */
  readonly json?: string;
  /** Folder for the report. */
  readonly report?: string;
  readonly resume?: boolean;
  /** File that keeps finished claims of an interrupted run. */
  readonly state: string;
}

/** All that one call of the command works with. */
interface Job {
  readonly registry: Registry;
  readonly methods: readonly Method[];
  readonly options: ReproduceOptions;
  readonly terminal: Terminal;
  readonly backend: Backend | undefined;
  readonly stored: StoredClaims;
}

function keyOf({ options, backend }: Job, method: Method): string {
  const scale = options.full ? "full" : "quick";
  const { name, version } = method;
  return resumeKey({ method: name, version, seed: options.seed, scale, device: deviceOf(backend) });
}

function verdictLine(method: Method, record: ClaimRecord): string {
  const verdict = record.error === undefined ? (record.holds ? "holds" : "does not hold") : record.error;
  return `${record.holds ? "✓" : "✗"} ${method.name} ${record.id}: ${verdict} (${formatSeconds(record.seconds)})`;
}

async function runMethod(job: Job, place: number, signal: AbortSignal): Promise<ClaimRun> {
  const { registry, methods, options, terminal, backend, stored } = job;
  const method = methods[place]!;
  const key = keyOf(job, method);
  return runClaims(await loadClaims(registry, method), {
    seed: options.seed,
    scale: options.full ? "full" : "quick",
    version: method.version,
    signal,
    finished: stored.finished(key),
    ...(backend ? { backend } : {}),
    onProgress: ({ claim, fraction, note }) => {
      const label = `${method.name} ${claim}${note ? `: ${note}` : ""}`;
      terminal.progress((place + fraction) / methods.length, label);
    },
    onFinished: (record) => {
      stored.keep(key, record);
      terminal.note(verdictLine(method, record));
    },
  });
}

function prepareStored(job: Job): void {
  const { methods, options, terminal, stored } = job;
  const keys = methods.map((method) => keyOf(job, method));
  const kept = stored.count(keys);
  if (options.resume) {
    const found = kept === 1 ? "1 finished claim" : `${kept} finished claims`;
    terminal.note(
      kept > 0 ? `Resuming: ${found} from ${stored.path}.` : "Nothing to resume: starting from the beginning.",
    );
    return;
  }
  if (kept > 0)
    terminal.note(`Starting anew: ${stored.path} had ${kept} finished claims, which --resume would have used.`);
  for (const key of keys) stored.discard(key);
}

async function writeResults(job: Job, runs: readonly ClaimRun[]): Promise<void> {
  const { registry, methods, options, terminal, backend } = job;
  const environment = environmentFacts(registry, methods, backend, options.threads);
  if (options.json !== undefined) {
    const results = { format: "offprint-results", formatVersion: 1, environment, runs };
    await saveFile(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
    terminal.print(`Results: ${options.json}`);
  }
  if (options.report !== undefined) {
    const papers = Object.fromEntries(
      methods.map(({ name, title, authors, year, arxiv }) => [
        name,
        { title, authors, year, ...(arxiv ? { arxiv } : {}) },
      ]),
    );
    const path = join(options.report, "index.html");
    await saveFile(path, htmlReport(runs, { environment, papers }));
    terminal.print(`Report: ${path}`);
  }
}

function printTables(runs: readonly ClaimRun[], terminal: Terminal): void {
  for (const run of runs) {
    terminal.print(`\n${run.method} ${run.version}, seed ${run.seed}, ${run.scale}, device ${run.device}\n`);
    terminal.print(formatTable(run.records, { width: Math.min(terminal.width, 140), colour: terminal.colour }));
  }
  const records = runs.flatMap((run) => run.records);
  const held = records.filter(({ holds }) => holds).length;
  const seconds = formatSeconds(runs.reduce((sum, run) => sum + run.seconds, 0));
  terminal.print(`\n${held} of ${records.length} claims hold (${seconds})`);
}

/**
 * Runs the claims of methods and prints what was measured beside what the papers say.
 *
 * @returns the exit code: 0 when all claims hold, 1 when one does not, 130 when interrupted
 */
export async function reproduce(
  registry: Registry,
  methods: readonly Method[],
  options: ReproduceOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.report !== undefined) {
    requireFolder(options.report);
    requireWritablePlace(join(options.report, "index.html"));
  }
  if (options.json !== undefined) requireWritablePlace(options.json);
  requireWritablePlace(options.state);
  const stored = StoredClaims.open(options.state);
  const backend = await openBackend(registry, options, (line) => terminal.note(line));
  const job: Job = { registry, methods, options, terminal, backend, stored };
  prepareStored(job);

  const runs: ClaimRun[] = [];
  const interrupted = await interruptible(async (signal) => {
    try {
      for (const place of methods.keys()) runs.push(await runMethod(job, place, signal));
      return false;
    } catch (error) {
      if (signal.aborted) return true;
      throw error;
    }
  });
  terminal.clearBar();
  const keys = methods.map((method) => keyOf(job, method));
  if (interrupted) {
    const kept = stored.count(keys);
    terminal.note(
      kept > 0
        ? `Interrupted. Finished claims are kept in ${stored.path} (${kept}); --resume continues.`
        : "Interrupted before a claim was finished.",
    );
    return exitCodes.interrupted;
  }
  printTables(runs, terminal);
  await writeResults(job, runs);
  for (const key of keys) stored.discard(key);
  stored.write();
  return runs.every(({ records }) => records.every(({ holds }) => holds)) ? exitCodes.success : exitCodes.failed;
}
