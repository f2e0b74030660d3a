import { requireObject, ShapeError, ValueError } from "@offprint/tensor-core";

/** What the settings would have cost. */
export interface Hindsight {
  /** `[settings]` total of each setting, played in every round. */
  readonly totals: Float64Array;
  /** Index of the setting with the least total. */
  readonly best: number;
  /** Its total: what a policy without context can hope for. */
  readonly bestTotal: number;
  /** Sum of the least cost of each round: what a policy with context can hope for. */
  readonly instanceTotal: number;
}

/**
 * Compares settings in hindsight, from the costs of every setting in every round: on the same systems and right-hand sides
 * that a policy has seen, as regret is defined.
 *
 * @param costs - `[T][settings]`; one row of costs per round.
 * @throws ShapeError for no rows, and for rows of different or no length; ValueError for what is no number.
 */
export function hindsight(costs: readonly ArrayLike<number>[]): Hindsight {
  requireObject("hindsight", "costs", costs, "an array");
  const d = costs[0]?.length ?? 0;
  if (d === 0 || costs.some((row) => row.length !== d)) {
    throw new ShapeError("hindsight: costs must be one row per round, all with one cost per setting");
  }
  costs.forEach((row, t) => {
    const wrong = Array.from(row).find((cost) => typeof cost !== "number" || Number.isNaN(cost));
    if (wrong !== undefined) throw new ValueError(`hindsight: costs[${t}] holds ${String(wrong)}; give numbers`);
  });
  const totals = new Float64Array(d);
  let instanceTotal = 0;
  for (const row of costs) {
    let least = Infinity;
    for (let i = 0; i < d; i++) {
      totals[i]! += row[i]!;
      least = Math.min(least, row[i]!);
    }
    instanceTotal += least;
  }
  const bestTotal = Math.min(...totals);
  return { totals, best: totals.indexOf(bestTotal), bestTotal, instanceTotal };
}
