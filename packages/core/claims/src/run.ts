import { AbortedError, type Backend, checkOptions, random, requireObject, ValueError } from "@offprint/tensor-core";
import type { Claim, ClaimContext, ClaimResult, ClaimSet, Scale } from "./claim.js";
import { checkSeries } from "./plots/series.js";
import { type ClaimRecord, type ClaimRun, recordError, recordResult } from "./record.js";

/** Where a run stands. */
export interface RunProgress {
  /** Id of the claim that runs. */
  readonly claim: string;
  /** Its place in the set, from 0. */
  readonly index: number;
  /** Number of claims in the set. */
  readonly count: number;
  /** How far the whole run is, in [0, 1]. */
  readonly fraction: number;
  /** What the claim says that it is doing. */
  readonly note: string;
}

/** Options of `runClaims`. */
export interface RunOptions {
  /** An integer; default 0. */
  readonly seed?: number;
  /** Default `quick`. */
  readonly scale?: Scale;
  /** Version of the method's package, part of the resume key; default `0.0.0`. */
  readonly version?: string;
  /** Where compiled functions run; default the host kernels. */
  readonly backend?: Backend;
  /** Aborts the run. */
  readonly signal?: AbortSignal;
  /** Records of an earlier run under the same `resumeKey`: their claims are not run again. */
  readonly finished?: readonly ClaimRecord[];
  /** Told where the run stands. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Given each record as soon as its claim is done, so that an interrupted run keeps it; awaited. */
  readonly onFinished?: (record: ClaimRecord) => void | Promise<void>;
  /** Clock in milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** Longest time that claims which await `onProgress` keep the event loop busy, in milliseconds. */
const patience = 40;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function aborted(method: string, claim: string): AbortedError {
  return new AbortedError(`runClaims: ${method} was aborted while "${claim}" was running.`);
}

/** Settles as the claim does, or rejects as soon as the signal fires: a claim need not know about signals. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal, reason: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(reason());
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function checkResult(claim: Claim, result: ClaimResult): ClaimResult {
  if (typeof result?.holds !== "boolean" || result.measured === undefined || typeof result.detail !== "string") {
    throw new ValueError(`claim "${claim.id}": run must return measured, holds (a boolean) and detail (a text).`);
  }
  for (const series of result.series ?? []) checkSeries(series);
  for (const { title, columns, rows } of result.tables ?? []) {
    const bad = rows.findIndex((row) => row.length !== columns.length);
    if (bad >= 0) throw new ValueError(`claim "${claim.id}": row ${bad} of "${title}" needs ${columns.length} cells.`);
  }
  return result;
}

/**
 * Runs the claims of a method one after the other. Each claim has its own generator, derived from the seed, the
 * method and the claim's id, so that a claim gives the same result alone, in any order and after a resume.
 * An error inside a claim makes that claim fail and does not end the run.
 *
 * @throws AbortedError when `signal` fires; finished claims were given to `onFinished` before
 * @throws ValueError when the seed is not an integer
 */
export async function runClaims(set: ClaimSet, options: RunOptions = {}): Promise<ClaimRun> {
  requireObject("runClaims", "set", set, "a ClaimSet");
  checkOptions("runClaims", options, [
    "seed",
    "scale",
    "version",
    "backend",
    "signal",
    "finished",
    "onProgress",
    "onFinished",
    "now",
  ]);
  const { seed = 0, scale = "quick", version = "0.0.0", backend, finished = [], onFinished } = options;
  if (!Number.isSafeInteger(seed)) throw new ValueError(`runClaims: seed must be an integer, got ${seed}.`);
  const signal = options.signal ?? new AbortController().signal;
  const now = options.now ?? (() => performance.now());
  const count = set.claims.length;
  const records: ClaimRecord[] = [];

  for (const [index, claim] of set.claims.entries()) {
    const stored = finished.find(({ id }) => id === claim.id);
    if (stored) {
      records.push(stored);
      continue;
    }
    // A claim that computes without a pause leaves no other moment for an abort to arrive.
    await nextTurn();
    if (signal.aborted) throw aborted(set.method, claim.id);
    const report = (fraction: number, note: string) =>
      options.onProgress?.({ claim: claim.id, index, count, fraction: (index + fraction) / count, note });
    report(0, "");

    let lastTurn = now();
    const turn = async (fraction: number, note: string) => {
      if (signal.aborted) throw aborted(set.method, claim.id);
      report(Math.min(1, Math.max(0, fraction)), note);
      if (now() - lastTurn < patience) return;
      await nextTurn();
      lastTurn = now();
      if (signal.aborted) throw aborted(set.method, claim.id);
    };
    const context: ClaimContext = {
      rng: random.rng(`${seed}/${set.method}/${claim.id}`),
      seed,
      scale,
      signal,
      ...(backend ? { backend } : {}),
      onProgress: (fraction, note = "") => {
        const settled = turn(fraction, note);
        // A claim that does not await its progress must not end the process with an unhandled rejection.
        settled.catch(() => {});
        return settled;
      },
    };

    const started = now();
    const elapsed = () => (now() - started) / 1000;
    const work = (async () => checkResult(claim, await claim.run(context)))();
    const record = await orAborted(work, signal, () => aborted(set.method, claim.id)).then(
      (result) => recordResult(claim, result, elapsed()),
      (error) => {
        if (signal.aborted) throw aborted(set.method, claim.id);
        return recordError(claim, error, elapsed());
      },
    );
    records.push(record);
    report(1, "");
    await onFinished?.(record);
  }
  const seconds = records.reduce((sum, record) => sum + record.seconds, 0);
  return { method: set.method, version, seed, scale, device: backend?.device ?? "host", records, seconds };
}
