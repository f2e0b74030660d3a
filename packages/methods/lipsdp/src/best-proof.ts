import type { Parts } from "@offprint/solvers";
import { type Certificate, claimedBound } from "./certificate.js";
import type { RawSolution } from "./raw-solution.js";

/** @internal A solution, and the best certificate that could be made of it. */
export interface Solved {
  readonly raw: RawSolution;
  readonly certificate: Certificate | undefined;
}

/** @internal Relative rooms that are tried when multipliers with a cross term are repaired. */
export const ROOMS = [1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1];

/** @internal Proves the candidates from the best bound on; the proof of a later one may cost less. */
export function* bestProved(
  candidates: readonly Certificate[],
  prove: (candidate: Certificate, limit: number) => Parts<Certificate | undefined>,
): Parts<Certificate | undefined> {
  let best: Certificate | undefined;
  for (const candidate of [...candidates].sort((a, b) => claimedBound(a) - claimedBound(b))) {
    const limit = best === undefined ? Infinity : claimedBound(best);
    if (claimedBound(candidate) >= limit) break;
    best = (yield* prove(candidate, limit)) ?? best;
  }
  return best;
}
