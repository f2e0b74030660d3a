import { sorSync } from "@offprint/solvers";
import { type OnlinePolicy, omegaStar, solveSequence } from "../src/index.js";
import { jacobiRadius, type ShiftedSystem } from "./grid.js";

/** Sweeps over a sequence with the same omega, or one that depends on the shift. */
export function totalSweeps(systems: readonly ShiftedSystem[], omega: number | ((shift: number) => number)): number {
  let total = 0;
  for (const { A, b, shift } of systems) {
    const chosen = typeof omega === "number" ? omega : omega(shift);
    total += sorSync(A, b, { omega: chosen, shift, tolerance: 1e-8 }).iterations;
  }
  return total;
}

/** Sweeps with the optimal omega of every system. */
export function instanceOptimalSweeps(systems: readonly ShiftedSystem[]): number {
  return totalSweeps(systems, (shift) => omegaStar(jacobiRadius(shift)));
}

/** What a policy took, round by round. */
export async function sweepsOf(systems: readonly ShiftedSystem[], policy: OnlinePolicy): Promise<Int32Array> {
  return (await solveSequence(systems, policy)).iterations;
}

/** Sum of some numbers. */
export function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}

/** The best point of a grid and its cost. */
export interface Best {
  /** The point. */
  readonly point: number;
  /** Its cost. */
  readonly cost: number;
}

/**
 * The best point of a grid: all of them, or downhill from the one nearest to `start`, which finds the same where the cost
 * falls and then rises along the grid.
 */
export function bestOf(grid: readonly number[], cost: (point: number) => number, start: number, all: boolean): Best {
  const known = new Map<number, number>();
  const at = (i: number): number => {
    if (i < 0 || i >= grid.length) return Infinity;
    if (!known.has(i)) known.set(i, cost(grid[i]!));
    return known.get(i)!;
  };
  if (all) for (let i = 0; i < grid.length; i++) at(i);
  let i = grid.reduce((best, w, k) => (Math.abs(w - start) < Math.abs(grid[best]! - start) ? k : best), 0);
  while (Math.min(at(i - 1), at(i + 1)) < at(i)) i += at(i - 1) < at(i + 1) ? -1 : 1;
  if (all) for (const [k, value] of known) if (value < at(i)) i = k;
  return { point: grid[i]!, cost: at(i) };
}

/** Means over windows of so many rounds, for plots. */
export function windowMeans(losses: ArrayLike<number>, window: number): { x: number[]; y: number[] } {
  const [x, y]: [number[], number[]] = [[], []];
  for (let t = window; t <= losses.length; t += window) {
    x.push(t);
    y.push(sum(Array.from(losses).slice(t - window, t)) / window);
  }
  return { x, y };
}
