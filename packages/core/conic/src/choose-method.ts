import { svecLength } from "./cones.js";
import type { ConicMethod, ConicSettings } from "./conic-options.js";
import type { CheckedProblem } from "./problem.js";

/** Interior-point iterations that cost less than this many multiplications are always worth it. */
const CHEAP = 1e9;
/** One of them does about as much as so many of the splitting. */
const WORTH = 40;
/** Variables at most: beyond, the normal matrix may not fit. */
const MOST_VARIABLES = 20000;

/** @internal The interior-point method where its iterations are not too dear beside those of the splitting. */
export function chooseMethod(problem: CheckedProblem, { method, initial }: ConicSettings): ConicMethod {
  if (method !== "auto") return method;
  const { n, operator } = problem;
  if (initial !== undefined || n > MOST_VARIABLES) return "splitting";
  if (operator !== undefined && !operatorFits(problem)) return "splitting";
  const { interior, splitting } = costs(problem);
  return interior < CHEAP || interior < WORTH * splitting ? "interior-point" : "splitting";
}

/** @internal Whether the interior-point method can work with the operator of a problem. */
export function operatorFits({ operator, blocks }: CheckedProblem): boolean {
  return (
    operator?.scaledNormal !== undefined &&
    blocks.every(({ kind }) => kind === "nonnegative" || kind === "semidefinite")
  );
}

/** Multiplications of an iteration, roughly. */
function costs({ n, A, operator, blocks }: CheckedProblem): { interior: number; splitting: number } {
  let [interior, splitting] = [0, 0];
  for (const { kind, order, length } of blocks) {
    if (kind === "semidefinite") {
      interior += 60 * order ** 3;
      splitting += 10 * order ** 3;
    } else splitting += length;
  }
  if (A === undefined || operator !== undefined) return { interior, splitting };
  splitting += 2 * A.entries;
  const perBlock = entriesByBlock(A, blocks);
  let clique = 0;
  for (const [k, { kind, order, length }] of blocks.entries()) {
    const { entries, columns } = perBlock[k];
    if (kind === "semidefinite") {
      const scaled = 2 * columns * order ** 3 + columns ** 2 * svecLength(order);
      interior += Math.min(scaled, 2 * entries ** 2);
      clique = Math.max(clique, columns);
    } else if (kind === "secondOrder") interior += columns ** 2 * length;
    else if (kind === "nonnegative" && length > 0) interior += entries ** 2 / length;
  }
  // The factorisation, were it dense; the variables of a matrix inequality meet all of one another, however few its entries.
  return { interior: interior + Math.max(Math.min(n ** 3 / 6, 1e4 * A.entries), clique ** 3 / 6), splitting };
}

function entriesByBlock(
  { indptr, indices }: NonNullable<CheckedProblem["A"]>,
  blocks: CheckedProblem["blocks"],
): { entries: number; columns: number }[] {
  const owner = new Int32Array(blocks.reduce((sum, { length }) => sum + length, 0));
  for (const [k, { start, length }] of blocks.entries()) owner.fill(k, start, start + length);
  const counts = blocks.map(() => ({ entries: 0, columns: 0 }));
  const seen = new Int32Array(blocks.length).fill(-1);
  for (let j = 0; j + 1 < indptr.length; j++) {
    for (let p = indptr[j]; p < indptr[j + 1]; p++) {
      const k = owner[indices[p]];
      counts[k].entries++;
      if (seen[k] !== j) counts[k].columns++;
      seen[k] = j;
    }
  }
  return counts;
}
