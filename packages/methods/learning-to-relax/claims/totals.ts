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
  return (await solveSequence(systems, policy)).counts;
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
 * The best point of a grid: from the costs of all of them, or by Fibonacci search where the cost falls and then rises along the grid.
 * Nothing need be known of where the best lies.
 */
export async function bestOf(
  grid: readonly number[],
  cost: (point: number) => number | Promise<number>,
  all: boolean,
): Promise<Best> {
  const known = new Map<number, number>();
  const at = async (i: number): Promise<number> => {
    if (i >= grid.length) return Infinity;
    if (!known.has(i)) known.set(i, await cost(grid[i]!));
    return known.get(i)!;
  };
  if (all) for (let i = 0; i < grid.length; i++) await at(i);
  // The best lies between `low` and low + near + far; of the two points inside one is known from the step before.
  let low = -1;
  let [near, far] = [1, 2];
  while (near + far <= grid.length) [near, far] = [far, near + far];
  while (far > 1) {
    if ((await at(low + near)) > (await at(low + far))) low += near;
    [near, far] = [far - near, near];
  }
  await at(low + 1);
  const [best, least] = [...known].reduce((a, b) => (b[1] < a[1] ? b : a));
  return { point: grid[best]!, cost: least };
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
