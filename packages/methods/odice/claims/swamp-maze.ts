import { meanOf } from "@offprint/claims";
import type { Rng } from "@offprint/tensor-core";
import { tensor } from "@offprint/tensor-core";
import { type OfflineDataset, offlineDataset, type Policy } from "../src/index.js";

/** Positions in the unit square. */
type Point = readonly [x: number, y: number];

const goal: Point = [0.88, 0.25];
const reach = 0.1;
const horizon = 40;

const inSwamp = ([x, y]: Point): boolean => x > 0.38 && x < 0.62 && y < 0.6;
const near = ([x, y]: Point, [u, v]: Point): boolean => Math.hypot(x - u, y - v) < reach;
const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v));

/** What a policy sees of positions. */
const seen = (points: readonly Point[]): number[][] => points.map(([x, y]) => [2 * x - 1, 2 * y - 1]);

function moved(rng: Rng, [x, y]: Point, [a, b]: readonly number[]): Point {
  const noise = rng.normal([2], { std: 0.01, dtype: "float64" }).data();
  return [clamp(x + 0.12 * clamp(a, -1, 1) + noise[0], 0, 1), clamp(y + 0.12 * clamp(b, -1, 1) + noise[1], 0, 1)];
}

/** Around the swamp by way-points, else straight on. */
function behaviour(rng: Rng, [x, y]: Point, [u, v]: Point): [number, number] {
  const apart = x < 0.5 !== u < 0.5 && Math.min(y, v) < 0.75;
  const own: Point = x < 0.5 ? [0.3, 0.75] : [0.7, 0.75];
  const other: Point = x < 0.5 ? [0.7, 0.75] : [0.3, 0.75];
  const aim = !apart ? ([u, v] as Point) : y < 0.68 ? own : other;
  const raw = [(aim[0] - x) / 0.12, (aim[1] - y) / 0.12];
  const longest = Math.max(1, Math.abs(raw[0]), Math.abs(raw[1]));
  const noise = rng.normal([2], { std: 0.5, dtype: "float64" }).data();
  return [clamp(raw[0] / longest + noise[0], -1, 1), clamp(raw[1] / longest + noise[1], -1, 1)];
}

/** Logged trips with goals of their own, and where they ended. */
export interface SwampData {
  /** Rewards times three. */
  readonly dataset: OfflineDataset;
  /** 1 where a transition enters the swamp. */
  readonly entries: readonly number[];
}

/** Trips between random places, of which some end in the swamp, and that is the last that is known of them. */
export function swampData(rng: Rng, trips = 400): SwampData {
  const free = (): Point => {
    for (;;) {
      const [x, y] = rng.uniform([2], { dtype: "float64" }).data();
      if (!inSwamp([x, y])) return [x, y];
    }
  };
  const rows = { here: [] as Point[], next: [] as Point[], actions: [] as number[][], rewards: [] as number[] };
  const [terminals, entries, timeouts]: number[][] = [[], [], []];
  for (let trip = 0; trip < trips; trip++) {
    let [at, aim] = [free(), free()];
    while (near(at, goal)) at = free();
    for (let k = 0; k < 30; k++) {
      while (near(at, aim)) aim = free();
      const action = behaviour(rng, at, aim);
      const next = moved(rng, at, action);
      const [done, stuck] = [near(next, goal), inSwamp(next)];
      rows.here.push(at);
      rows.next.push(next);
      rows.actions.push(action);
      rows.rewards.push(done ? 0 : -3);
      terminals.push(done ? 1 : 0);
      entries.push(stuck ? 1 : 0);
      timeouts.push(!done && (stuck || k === 29) ? 1 : 0);
      at = next;
      if (done || stuck) break;
    }
  }
  const dataset = offlineDataset({
    observations: seen(rows.here),
    nextObservations: seen(rows.next),
    actions: rows.actions,
    rewards: rows.rewards,
    terminals,
    timeouts,
  });
  return { dataset, entries };
}

/** Trips of a policy across the swamp: mean return, and the share that arrive. */
export function swampReturns(rng: Rng, policy: Policy, trips = 100): { total: number; success: number } {
  let places: Point[] = Array.from({ length: trips }, () => {
    const [a, b] = rng.uniform([2], { low: -0.03, high: 0.03, dtype: "float64" }).data();
    return [0.12 + a, 0.25 + b] as Point;
  });
  const done = new Array<boolean>(trips).fill(false);
  const totals = new Array<number>(trips).fill(0);
  for (let k = 0; k < horizon; k++) {
    const actions = policy.act(tensor(seen(places))).toArray() as number[][];
    places = places.map((at, i) => {
      if (done[i]) return at;
      const next = inSwamp(at) ? at : moved(rng, at, actions[i]);
      done[i] = near(next, goal);
      totals[i] -= done[i] ? 0 : 1;
      return next;
    });
  }
  return { total: meanOf(totals), success: meanOf(done.map(Number)) };
}
