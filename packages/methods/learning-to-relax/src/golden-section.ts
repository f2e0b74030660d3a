import { checkOptions, requireFunction, requireInteger, ValueError } from "@offprint/tensor-core";

/** Points with their costs. */
export interface CostedPoints {
  /** Points, ascending. */
  readonly grid: readonly number[];
  /** Their costs, in the same order. */
  readonly values: readonly number[];
}

/** A search's points and outcome. */
export interface GoldenSectionResult extends CostedPoints {
  /** Middle between the first and the last of the best points. */
  readonly best: number;
  /** The least cost. */
  readonly bestValue: number;
}

/** The golden ratio's reciprocal. */
const TAU = (Math.sqrt(5) - 1) / 2;

/**
 * Golden-section search for a cost that takes integer values, such as an iteration count against omega: where two points
 * cost the same, it gives up the left and the right side in turn. It looks between the neighbours of the best points
 * known, and its answer is the middle of all best points found.
 *
 * @param cost - to be minimised; unimodal up to plateaus.
 * @param start - at least three points with their costs.
 * @param evaluations - calls of `cost` at most, >= 0; default 12.
 * @throws ValueError for a start that is not ascending or too short, or costs that are not numbers.
 */
export function goldenSection(
  cost: (point: number) => number,
  start: CostedPoints,
  evaluations = 12,
): GoldenSectionResult {
  requireFunction("goldenSection", "cost", cost);
  checkOptions("goldenSection: start", start, ["grid", "values"], ["grid", "values"]);
  const { grid, values } = start;
  if (
    !(Array.isArray(grid) && Array.isArray(values) && grid.every(Number.isFinite)) ||
    grid.length < 3 ||
    values.length !== grid.length ||
    grid.some((w, i) => i > 0 && !(w > grid[i - 1]!))
  ) {
    throw new ValueError("goldenSection: start must have at least three ascending points and a cost for each");
  }
  requireInteger("goldenSection", "evaluations", evaluations, 0);
  const known = new Map(grid.map((w, i) => [w, checked(values[i]!, w)]));
  const least = Math.min(...values);
  let left = grid[Math.max(0, values.indexOf(least) - 1)]!;
  let right = grid[Math.min(grid.length - 1, values.lastIndexOf(least) + 1)]!;
  let left_is_next = true;
  let spent = 0;
  const at = (w: number): number | undefined => {
    if (!known.has(w)) {
      if (spent === evaluations) return undefined;
      spent += 1;
      known.set(w, checked(cost(w), w));
    }
    return known.get(w);
  };
  let [inner, outer] = [right - TAU * (right - left), left + TAU * (right - left)];
  for (;;) {
    const lower = at(inner);
    const upper = lower === undefined ? undefined : at(outer);
    if (lower === undefined || upper === undefined || !(inner < outer)) break;
    const dropLeft = lower === upper ? left_is_next : lower > upper;
    if (lower === upper) left_is_next = !left_is_next;
    if (dropLeft) [left, inner, outer] = [inner, outer, inner + TAU * (right - inner)];
    else [right, outer, inner] = [outer, inner, outer - TAU * (outer - left)];
  }
  const points = [...known].sort(([a], [b]) => a - b);
  const bestValue = Math.min(...known.values());
  const best = points.filter(([, value]) => value === bestValue).map(([w]) => w);
  return {
    grid: points.map(([w]) => w),
    values: points.map(([, value]) => value),
    best: (best[0]! + best[best.length - 1]!) / 2,
    bestValue,
  };
}

function checked(value: number, point: number): number {
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new ValueError(
      `goldenSection: the cost at ${point} is ${String(value)}, which is not a number; cost must return one, not a promise`,
    );
  }
  return value;
}
