import { checkOptions, requireObject, ValueError } from "@offprint/tensor-core";
import type { Cluster } from "./cluster.js";
import type { JobReference } from "./job.js";
import { type MapOptions, mapOptionNames, type Outcome } from "./outcome.js";

/** Options of {@link gridSearch}. */
export interface GridSearchOptions<P extends object, R> extends MapOptions {
  /** The values to try of each setting. The job is given one of each. */
  readonly axes: { readonly [K in keyof P]: readonly P[K][] };
  /** How bad a value is: the least is the best. One that is not finite counts as a failure. */
  readonly score: (value: R, point: P) => number;
  /** Told of each outcome as it comes. */
  readonly onOutcome?: (outcome: GridOutcome<P, R>) => void;
}

/** What became of a point of the grid. */
export type GridOutcome<P, R> = Outcome<R> & {
  /** The settings. */
  readonly point: P;
  /** Its score; infinite where it failed. */
  readonly score: number;
};

/** What a search has found. */
export interface GridSearchResult<P, R> {
  /** The best point, of equal ones the first; null where the search was aborted before a point had succeeded. */
  readonly best: { readonly point: P; readonly value: R; readonly score: number } | null;
  /** All of them, in the order of the grid, the last axis the quickest; of an aborted search those that came. */
  readonly outcomes: readonly GridOutcome<P, R>[];
}

/** All points of a grid, the last axis the quickest. */
function pointsOf<P extends object>(axes: GridSearchOptions<P, unknown>["axes"]): P[] {
  let points: Partial<P>[] = [{}];
  for (const [name, values] of Object.entries<readonly unknown[]>(axes)) {
    if (!Array.isArray(values) || values.length === 0) {
      throw new ValueError(`gridSearch: axes.${name} has no values; give a list of one or more`);
    }
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points as P[];
}

/**
 * Runs a job at every point of a grid of settings, wherever the cluster is, and gives the best.
 *
 * @throws ValueError for axes without values, and options that there are not; JobError, or what else kept it from being done,
 * where no point has succeeded
 * @example
 * const { best } = await gridSearch<{ depth: number }, number>(here, "my-jobs#loss", { axes: { depth: [2, 3] }, score: (loss) => loss });
 */
export async function gridSearch<P extends object, R>(
  where: Pick<Cluster, "map">,
  job: JobReference,
  options: GridSearchOptions<P, R>,
): Promise<GridSearchResult<P, R>> {
  requireObject("gridSearch", "where", where, "{ map }");
  const owner = "gridSearch";
  checkOptions(owner, options, ["axes", "score", "onOutcome", ...mapOptionNames], ["axes", "score"]);
  const { axes, score, onOutcome, ...mapping } = options;
  if (typeof score !== "function")
    throw new ValueError(`${owner}: score is ${typeof score}; give a function of a value`);
  const points = pointsOf<P>(axes ?? {});
  const outcomes: GridOutcome<P, R>[] = [];
  let best: GridSearchResult<P, R>["best"] = null;
  for await (const outcome of where.map<P, R>(job, points, mapping)) {
    const point = points[outcome.index]!;
    const found = outcome.error === undefined ? score(outcome.value, point) : Number.POSITIVE_INFINITY;
    const told = { ...outcome, point, score: Number.isFinite(found) ? found : Number.POSITIVE_INFINITY };
    outcomes.push(told);
    onOutcome?.(told);
  }
  outcomes.sort((a, b) => a.index - b.index);
  // Of equal ones the first of the grid: it does not depend on who was ready first.
  for (const { point, value, error, score: found } of outcomes) {
    if (error === undefined && found < (best?.score ?? Number.POSITIVE_INFINITY)) best = { point, value, score: found };
  }
  if (best !== null || mapping.signal?.aborted) return { best, outcomes };
  const failed = outcomes.find(({ error }) => error !== undefined)?.error;
  throw (
    failed ?? new ValueError(`${owner}: score is finite at no point of the grid; give a function of what the job gives`)
  );
}
