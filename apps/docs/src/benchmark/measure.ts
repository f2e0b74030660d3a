import type { Library, Run, Workload } from "./workloads.js";

/** How much is measured. */
export interface Effort {
  /** How often every library has its turn. */
  readonly rounds: number;
  /** Least time of one turn, in milliseconds; clocks of pages tick as slowly as once a millisecond. */
  readonly turn: number;
}

/** What one library gave for one piece of work. */
export type Cell =
  | { readonly kind: "time" /** Median of the turns, milliseconds a run. */; readonly milliseconds: number }
  | { readonly kind: "absent"; readonly reason: string };

/** One line of the table: the work, and a cell for each library in their order. */
export interface Row {
  readonly id: Workload["id"];
  readonly cells: readonly Cell[];
}

/** The middle of some numbers; the mean of the two middle ones of an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Largest difference of two results, relative to the size of the second one's largest number. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [apart, size] = [0, Number.MIN_VALUE];
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    if (!(distance <= Number.MAX_VALUE)) return Number.POSITIVE_INFINITY;
    apart = Math.max(apart, distance);
    size = Math.max(size, Math.abs(b[i]!));
  }
  return apart / size;
}

/** Results of float32 that were computed in another order differ by less than this. */
const sameResult = 1e-3;

interface Contestant {
  readonly place: number;
  readonly run: Run;
  /** Runs a turn. */
  count: number;
  readonly turns: number[];
}

async function timed({ run, count }: Contestant, clock: () => number): Promise<number> {
  const start = clock();
  for (let i = 0; i < count; i++) await run();
  return clock() - start;
}

/** Warms a library up, and doubles its runs until a turn is long enough for the clock. */
async function calibrate(contestant: Contestant, turn: number, clock: () => number): Promise<void> {
  for (let elapsed = 0; ; contestant.count *= 2) {
    elapsed = await timed(contestant, clock);
    if (elapsed >= turn) return;
  }
}

/**
 * One piece of work, timed in all libraries alternately, so that what else the machine does meets them alike. Results are
 * compared with those of the first library beforehand: one that computes something else is not timed.
 */
export async function measure(
  id: Workload["id"],
  libraries: readonly Library[],
  { rounds, turn }: Effort,
  clock: () => number = () => performance.now(),
): Promise<Row> {
  const cells: Cell[] = [];
  const contestants: Contestant[] = [];
  let expected: ArrayLike<number> | undefined;
  for (const [place, library] of libraries.entries()) {
    const prepared = await library.prepare(id).catch((error: unknown) => `failed: ${String(error)}`);
    if (typeof prepared === "string") {
      cells[place] = { kind: "absent", reason: prepared };
      continue;
    }
    const result = Float32Array.from(await prepared());
    expected ??= result;
    const apart = difference(result, expected);
    if (apart > sameResult) {
      cells[place] = { kind: "absent", reason: `its result differs by ${apart.toPrecision(2)}` };
      continue;
    }
    contestants.push({ place, run: prepared, count: 1, turns: [] });
  }
  for (const contestant of contestants) await calibrate(contestant, turn, clock);
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another library.
    for (let i = 0; i < contestants.length; i++) {
      const contestant = contestants[(round + i) % contestants.length]!;
      contestant.turns.push((await timed(contestant, clock)) / contestant.count);
    }
  }
  for (const { place, turns } of contestants) cells[place] = { kind: "time", milliseconds: median(turns) };
  return { id, cells };
}
