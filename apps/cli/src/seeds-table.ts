import type { ClaimRun } from "@offprint/claims";
import { alignedRows } from "@offprint/commands";

/** At how many seeds a claim holds. */
export interface ClaimAtSeeds {
  readonly method: string;
  readonly claim: string;
  /** Seeds at which it was run. */
  readonly seeds: number;
  /** Seeds at which it does not hold. */
  readonly failing: readonly number[];
}

/** Least part of the seeds at which a claim must hold. */
const wanted = 0.9;

/** Collects the runs of several seeds by claim. */
export function claimsAtSeeds(runs: readonly ClaimRun[]): ClaimAtSeeds[] {
  const found = new Map<string, { method: string; claim: string; seeds: number; failing: number[] }>();
  for (const { method, seed, records } of runs) {
    for (const { id, holds } of records) {
      const key = `${method} ${id}`;
      const entry = found.get(key) ?? { method, claim: id, seeds: 0, failing: [] };
      found.set(key, entry);
      entry.seeds += 1;
      if (!holds) entry.failing.push(seed);
    }
  }
  return [...found.values()];
}

/** Whether a claim holds at nine seeds of ten at least. */
export function holdsAtSeeds({ seeds, failing }: ClaimAtSeeds): boolean {
  return seeds - failing.length >= wanted * seeds;
}

/** Claims with the number of seeds at which they hold, and the seeds at which they do not. */
export function seedsTable(claims: readonly ClaimAtSeeds[]): string[] {
  const rows = claims.map((claim) => {
    const { method, claim: id, seeds, failing } = claim;
    return [
      method,
      id,
      `${seeds - failing.length} of ${seeds}`,
      holdsAtSeeds(claim) ? "yes" : "NO",
      failing.join(", "),
    ];
  });
  return alignedRows(rows, ["method", "claim", "holds at", "9 of 10", "not at seeds"]);
}
