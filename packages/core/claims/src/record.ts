import { requireObject } from "@offprint/tensor-core";
import type { Claim, ClaimResult, ClaimTable, Scale } from "./claim.js";
import { checkSeries, type Series } from "./plots/series.js";
import type { Quantity } from "./quantity.js";

/** A claim that was run: plain data that survives `JSON.stringify` and `JSON.parse` unchanged. */
export interface ClaimRecord {
  /** The claim's id. */
  readonly id: string;
  /** The claim in one sentence. */
  readonly statement: string;
  /** Where the paper says it. */
  readonly source: string;
  /** The paper's value. */
  readonly paper: Quantity;
  /** The measured value; a number that is not finite is kept as text, `NaN` for one. */
  readonly measured: Quantity;
  /** Whether the claim holds; a claim that ended with an error does not. */
  readonly holds: boolean;
  /** The criterion and its figures. */
  readonly detail: string;
  /** What to plot; missing points are `null`. */
  readonly series: readonly Series[];
  /** What to tabulate. */
  readonly tables: readonly ClaimTable[];
  /** Why the claim could not be checked, when it ended with an error. */
  readonly error?: string;
  /** How long it took, in seconds. */
  readonly seconds: number;
}

/** All claims of one method, run with one seed at one scale on one device. */
export interface ClaimRun {
  /** The method's name. */
  readonly method: string;
  /** Version of the method's package. */
  readonly version: string;
  /** The seed of the run. */
  readonly seed: number;
  /** How much was run. */
  readonly scale: Scale;
  /** Where compiled functions ran: `host`, or the backend's device. */
  readonly device: string;
  /** In the order of the claim set. */
  readonly records: readonly ClaimRecord[];
  /** Sum over the claims, in seconds. */
  readonly seconds: number;
}

/** What the results of a run depend on: stored records may be reused only under the same key. */
export function resumeKey(run: Pick<ClaimRun, "method" | "version" | "seed" | "scale" | "device">): string {
  requireObject("resumeKey", "run", run, "{ method, version, seed, scale, device }");
  return `${run.method}@${run.version} seed=${run.seed} scale=${run.scale} device=${run.device}`;
}

/** Plain arrays for typed ones, so that JSON keeps them; JSON itself turns NaN into `null`, a missing point. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, part]) => part !== undefined)
        .map(([name, part]) => [name, plain(part)]),
    );
  }
  return value;
}

function plainQuantity(value: Quantity): Quantity {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "string") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, plainQuantity(part) as number | string]),
  );
}

/** The record of a claim that gave a result. */
export function recordResult(claim: Claim, result: ClaimResult, seconds: number): ClaimRecord {
  return {
    id: claim.id,
    statement: claim.statement,
    source: claim.source,
    paper: plainQuantity(claim.paper),
    measured: plainQuantity(result.measured),
    holds: result.holds,
    detail: result.detail,
    series: plain(result.series ?? []) as readonly Series[],
    tables: plain(result.tables ?? []) as readonly ClaimTable[],
    seconds,
  };
}

/** The record of a claim that ended with an error. */
export function recordError(claim: Claim, error: unknown, seconds: number): ClaimRecord {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const result = { measured: "error", holds: false, detail: "The claim ended with an error and was not checked." };
  return { ...recordResult(claim, result, seconds), error: message };
}

function isQuantity(value: unknown): value is Quantity {
  if (typeof value === "number" || typeof value === "string") return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((part) => typeof part === "number" || typeof part === "string");
}

function isDrawable(series: unknown): boolean {
  try {
    checkSeries(series as Series);
    return true;
  } catch {
    return false;
  }
}

function isTable(value: unknown): value is ClaimTable {
  const { title, columns, rows } = (value ?? {}) as Partial<ClaimTable>;
  return typeof title === "string" && Array.isArray(columns) && Array.isArray(rows) && rows.every(Array.isArray);
}

/** Whether a value, such as one read from a file, is a whole record of a claim. */
export function isClaimRecord(value: unknown): value is ClaimRecord {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Partial<Record<keyof ClaimRecord, unknown>>;
  const texts = [record.id, record.statement, record.source, record.detail, record.error ?? ""];
  return (
    texts.every((text) => typeof text === "string") &&
    isQuantity(record.paper) &&
    isQuantity(record.measured) &&
    typeof record.holds === "boolean" &&
    typeof record.seconds === "number" &&
    Array.isArray(record.series) &&
    record.series.every(isDrawable) &&
    Array.isArray(record.tables) &&
    record.tables.every(isTable)
  );
}
