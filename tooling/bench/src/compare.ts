import { type Contender, contender, type Subject } from "./contender.js";
import { duration, record } from "./report.js";

/** What to time. */
export interface CompareOptions {
  /** What the row says. */
  name: string;
  /** The work of this repository. */
  ours: Subject;
  /** The same work done by others: a function, or a case of a Python script (see {@link python}). */
  peers?: Record<string, Subject | Contender>;
  /** Work of one call, for a rate: `{ amount: 2 * 512 ** 3 / 1e9, unit: "GFLOP" }` prints GFLOP/s. */
  work?: { amount: number; unit: string };
  /** Largest accepted ratio of our time to each peer's; printed with the result. */
  maxRatio?: number;
  /** Longest accepted time of one call of ours, in seconds; printed with the result. */
  maxSeconds?: number;
  /** Smallest accepted rate of ours, in `work.unit` per second; printed with the result. */
  minRate?: number;
  /** Timed repetitions of each contender. Default 15. */
  repetitions?: number;
  /** Each repetition repeats the work until it lasts about this long, in seconds. Default 0.02. */
  repetitionSeconds?: number;
}

/** One peer beside us. */
export interface PeerResult {
  /** Name of the peer. */
  name: string;
  /** Median seconds of one call. */
  seconds?: number;
  /** Our median over the peer's: below 1 we are faster. */
  ratio?: number;
  /** The same of the fastest repetitions: on a busy machine it says more than the medians. */
  bestRatio?: number;
  /** Why the peer was not run. */
  absent?: string;
}

/** A row of the table. */
export interface Measured {
  /** As given. */
  name: string;
  /** Median seconds of one call of ours. */
  seconds: number;
  /** Seconds of one call in our fastest repetition. */
  best: number;
  /** Work per second, where `work` was given. */
  rate?: { value: number; unit: string };
  /** The peers, in the order given. */
  peers: PeerResult[];
  /** The goals that were given and whether they are met; a ratio to an absent peer is not judged. */
  goals: { goal: string; met: boolean }[];
}

/** Middle value of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Long enough that the engine has compiled what it will compile. */
const warmUpSeconds = 0.3;

/** How many loops last about that long, once warm. */
async function calibrated(subject: Contender, seconds: number): Promise<number> {
  let loops = 1;
  for (let spent = 0; spent < warmUpSeconds; ) spent += Math.max(await subject.time(1), 1e-6);
  for (;;) {
    const each = await subject.time(loops);
    if (each * loops >= seconds / 4 || loops >= 1e7) return Math.max(1, Math.round(seconds / Math.max(each, 1e-9)));
    loops *= 4;
  }
}

function goalsOf(options: CompareOptions, row: Omit<Measured, "goals">): Measured["goals"] {
  const { maxRatio, maxSeconds, minRate } = options;
  const goals: Measured["goals"] = [];
  if (maxSeconds !== undefined) goals.push({ goal: `<= ${duration(maxSeconds)}`, met: row.seconds <= maxSeconds });
  if (minRate !== undefined && row.rate) {
    goals.push({ goal: `>= ${minRate} ${row.rate.unit}`, met: row.rate.value >= minRate });
  }
  for (const { name, ratio } of row.peers) {
    if (maxRatio === undefined || ratio === undefined) continue;
    goals.push({ goal: `<= ${maxRatio}x ${name}`, met: ratio <= maxRatio });
  }
  return goals;
}

/**
 * Times ours and its peers alternately in one run, so that a machine that slows down slows all of them,
 * and records the medians and their ratio.
 */
export async function compare(options: CompareOptions): Promise<Measured> {
  const { name, ours, peers = {}, work, repetitions = 15, repetitionSeconds = 0.02 } = options;
  const entries: { name: string; contender: Contender; absent?: string; loops: number; samples: number[] }[] = [];
  for (const [label, subject] of [["ours", ours] as const, ...Object.entries(peers)]) {
    const each = typeof subject === "function" ? contender(subject) : subject;
    const absent = await each.absent?.();
    const loops = absent === undefined ? await calibrated(each, repetitionSeconds) : 0;
    entries.push({ name: label, contender: each, loops, samples: [], ...(absent === undefined ? {} : { absent }) });
  }
  const present = entries.filter(({ absent }) => absent === undefined);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (let turn = 0; turn < present.length; turn++) {
      // Each repetition starts with another contender: nobody always follows the same one.
      const entry = present[(turn + repetition) % present.length]!;
      entry.samples.push(await entry.contender.time(entry.loops));
    }
  }
  const seconds = median(entries[0]!.samples);
  const best = Math.min(...entries[0]!.samples);
  const row = {
    name,
    seconds,
    best,
    ...(work ? { rate: { value: work.amount / seconds, unit: `${work.unit}/s` } } : {}),
    peers: entries.slice(1).map(({ name: peer, absent, samples }): PeerResult => {
      if (absent !== undefined) return { name: peer, absent };
      const [middle, fastest] = [median(samples), Math.min(...samples)];
      return { name: peer, seconds: middle, ratio: seconds / middle, bestRatio: best / fastest };
    }),
  };
  const measured: Measured = { ...row, goals: goalsOf(options, row) };
  record(measured);
  return measured;
}
