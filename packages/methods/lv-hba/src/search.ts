import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { ValueError } from "@offprint/tensor-core";
import { ConstrainedProblem } from "./constrained-problem.js";
import { lowerProgramme } from "./lower-programme.js";

/** A candidate of {@link searchUpper}, judged. */
export interface SearchedCandidate<X, Y> {
  /** The candidate. */
  readonly x: X;
  /** The lower solution there. */
  readonly y: Y;
  /** The upper function there. */
  readonly upper: number;
}

/**
 * Grid or random search: solves the lower problem, a quadratic programme, at each candidate.
 * @returns all candidates, the best first.
 * @throws ValueError for no candidates; ConvergenceError where a lower problem has no solution.
 */
export async function searchUpper<X, Y, U = null, L = U>(
  problem: ConstrainedBilevelProblem<X, Y, U, L>,
  candidates: readonly X[],
): Promise<readonly SearchedCandidate<X, Y>[]> {
  if (!Array.isArray(candidates) || candidates.length === 0) {
    throw new ValueError("searchUpper: there are no candidates; give at least one x");
  }
  const read = new ConstrainedProblem("searchUpper", problem);
  const solve = lowerProgramme(read, { tolerance: 1e-9 });
  const judged: SearchedCandidate<X, Y>[] = [];
  for (const x of candidates) {
    const at = read.vectors.x.ravel(x);
    const { y } = await solve(at);
    judged.push({ x, y: read.vectors.y.unravel(y), upper: read.vectors.upper(at, y, read.vectors.full.upper).item() });
  }
  return judged.sort((a, b) => a.upper - b.upper);
}
