import { type Backend, type random, requireObject, ValueError } from "@offprint/tensor-core";
import type { Series } from "./plots/series.js";
import type { Quantity } from "./quantity.js";

/** How much is run: `quick` is seconds for all claims of a package, `full` is as near to the paper as one machine allows. */
export type Scale = "quick" | "full";

/** A table that a claim shows beside its result, such as every method at every batch size. */
export interface ClaimTable {
  /** What the table shows, in one line. */
  readonly title: string;
  /** Column headings, with units where the columns have them. */
  readonly columns: readonly string[];
  /** Cells, one array per row and as long as `columns`; numbers are shown with four significant digits. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** What running a claim gives. */
export interface ClaimResult {
  /** The measured value that stands beside the paper's. */
  readonly measured: Quantity;
  /** Whether the claim holds, computed from what was measured. */
  readonly holds: boolean;
  /** One or two sentences: the criterion, and the figures that it was applied to. */
  readonly detail: string;
  /** What to plot. */
  readonly series?: readonly Series[];
  /** What to tabulate. */
  readonly tables?: readonly ClaimTable[];
}

/** What a claim is given to run with. */
export interface ClaimContext {
  /** The claim's own generator, derived from the seed, the method and the claim's id. */
  readonly rng: random.Rng;
  /** The user's seed, for claims that number several runs themselves. */
  readonly seed: number;
  /** Where compiled functions run; without one they run on the host kernels. */
  readonly backend?: Backend;
  /** How much to run. */
  readonly scale: Scale;
  /**
   * Reports progress as a fraction in [0, 1]. Await it inside long loops: it lets other events through, such as
   * Ctrl-C, and rejects with an `AbortedError` once the run is aborted.
   */
  onProgress(fraction: number, note?: string): Promise<void>;
  /** Fires when the run is aborted; hand it on to functions that take a signal. */
  readonly signal: AbortSignal;
}

/** A sentence of a paper that a program can check. */
export interface Claim {
  /** Lower-case words joined by hyphens, unique within the package; part of the claim's seed. */
  readonly id: string;
  /** The claim in one sentence. */
  readonly statement: string;
  /** Where the paper says it: `Table 2`, `Theorem 3`. */
  readonly source: string;
  /** The paper's value. */
  readonly paper: Quantity;
  /** Measures, and decides from the measurement whether the claim holds. */
  run(context: ClaimContext): ClaimResult | Promise<ClaimResult>;
}

/** The claims of one method package. */
export interface ClaimSet {
  /** The method's name as on the command line: `diffgrad`. */
  readonly method: string;
  /** In the order in which they are run and shown. */
  readonly claims: readonly Claim[];
}

const identifier = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * Declares the claims of a method; a package's `./claims` entry exports the result as `claims`.
 *
 * @throws ValueError when the set is empty, an id is malformed or used twice, or a text is empty
 * @example
 * ```ts
 * import { defineClaims } from "@offprint/claims";
 *
 * export const claims = defineClaims({
 *   method: "halving",
 *   claims: [
 *     {
 *       id: "ten-halvings",
 *       statement: "Ten halvings divide the error by a thousand",
 *       source: "Section 2",
 *       paper: "> 1000",
 *       run: () => {
 *         const measured = 1 / 0.5 ** 10;
 *         return { measured, holds: measured > 1000, detail: `the error fell by a factor of ${measured}` };
 *       },
 *     },
 *   ],
 * });
 * ```
 */
export function defineClaims(set: ClaimSet): ClaimSet {
  requireObject("defineClaims", "set", set, "a ClaimSet");
  if (!identifier.test(set.method)) {
    throw new ValueError(`defineClaims: method must be lower-case words joined by hyphens, got "${set.method}".`);
  }
  if (set.claims.length === 0) throw new ValueError(`defineClaims: ${set.method} has no claims; give at least one.`);
  const seen = new Set<string>();
  for (const { id, statement, source } of set.claims) {
    if (!identifier.test(id)) {
      throw new ValueError(`defineClaims: a claim's id must be lower-case words joined by hyphens, got "${id}".`);
    }
    if (seen.has(id)) throw new ValueError(`defineClaims: the id "${id}" is used twice; give each claim its own.`);
    if (!statement || !source) throw new ValueError(`defineClaims: "${id}" needs a statement and a source.`);
    seen.add(id);
  }
  return { method: set.method, claims: [...set.claims] };
}
