import { requireInteger, requireObject } from "@offprint/tensor-core";
import { type CodeKind, chunksHeld, type GradientCode } from "./cyclic-code.js";

/**
 * How the data of a job are cut: `n * own` chunks that one worker alone holds, and `groups` times n chunks that are
 * coded across workers.
 */
export interface Layout {
  /** Chunks of its own that a worker has: W - 1 in M-SGC, none in GC and SR-SGC. */
  readonly own: number;
  /** Groups of n coded chunks: B in M-SGC, one in GC and SR-SGC. */
  readonly groups: number;
  /** s or lambda: workers whose result of a group may be missing. */
  readonly tolerance: number;
  /** The code of the groups. */
  readonly code: CodeKind;
  /** Size of an own chunk in units of c. */
  readonly ownSize: number;
  /** Size of a coded chunk in units of c. */
  readonly codedSize: number;
  /** Whether what is missing is left out of the gradient, which is then only an estimate. */
  readonly lossy: boolean;
}

/** The results of a job that have come. */
export interface JobProgress {
  /** Number of the job, from 0. */
  readonly job: number;
  /** `[n]` own chunks that each worker has completed; it takes them in order. */
  readonly own: Uint16Array;
  /** `[groups, n]` whether the worker's coded result of a group has come. */
  readonly coded: Uint8Array;
}

/** Where a run of a scheme is: plain data. */
export interface SchemeState {
  /** The next round, from 0. */
  readonly round: number;
  /** J, jobs of the run. */
  readonly jobs: number;
  /** Jobs that are under way, or were due in the last round, in order. */
  readonly active: readonly JobProgress[];
  /** Who straggled in the rounds that count for those to come, the last one last. */
  readonly recent: readonly (readonly number[])[];
}

/** What is done for one job in a round: for each worker a mini-task, or -1 for none. */
export interface Assignment {
  /** The job. */
  readonly job: number;
  /** `[n]` k < `own`: the own chunk k; `own` + b: the coded result of group b. */
  readonly tasks: Int16Array;
}

/** Decides who may straggle now. */
export type Admission = (stragglers: readonly number[]) => boolean;

/** A way of spending redundancy. */
export interface Scheme {
  /** Name with parameters, such as `M-SGC(2, 4, 3)`. */
  readonly name: string;
  /** Which it is. */
  readonly kind: "uncoded" | "ignore-stragglers" | "gc" | "sr-sgc" | "m-sgc";
  /** n. */
  readonly workers: number;
  /** T: rounds after its own in which a job is finished at the latest. */
  readonly delay: number;
  /** L: largest work of a worker in a round, in full gradients. */
  readonly load: number;
  /** The parameters by name. */
  readonly parameters: Readonly<Record<string, number>>;
  /** How data are cut. */
  readonly layout: Layout;
  /** Rounds back that decide who may straggle now. */
  readonly memory: number;
  /** The code of its groups, where it has any; made when it is first asked for. */
  code(): GradientCode | undefined;
  /** The mini-tasks of the next round. */
  assign(state: SchemeState): Assignment[];
  /** Tells which stragglers the next round may have so that every job is finished in time. */
  admits(state: SchemeState, assigned: readonly Assignment[]): Admission;
  /** Whether these stragglers of the next round do not count for the rounds to come. */
  forgives(state: SchemeState, assigned: readonly Assignment[], stragglers: readonly number[]): boolean;
}

/** The state before the first round of so many jobs. `recent` are the last rounds of an earlier run. */
export function begin(jobs: number, recent: SchemeState["recent"] = []): SchemeState {
  requireInteger("begin", "jobs", jobs, 1);
  return { round: 0, jobs, active: [], recent };
}

/** Rounds of a run of so many jobs. */
export function roundsOf(scheme: Scheme, jobs: number): number {
  return jobs + scheme.delay;
}

/** A job without results. */
export function newJob({ workers, layout }: Scheme, job: number): JobProgress {
  return { job, own: new Uint16Array(workers), coded: new Uint8Array(layout.groups * workers) };
}

/** The results of a job that is under way. */
export function jobOf(scheme: Scheme, schemeState: SchemeState, job: number): JobProgress {
  requireObject("jobOf", "scheme", scheme, "a Scheme");
  requireObject("jobOf", "schemeState", schemeState, "a SchemeState");
  const { active } = schemeState;
  return active.find((each) => each.job === job) ?? newJob(scheme, job);
}

/** Whether the gradient of a job can be had from the results that have come. */
export function decodable(scheme: Scheme, jobProgress: JobProgress): boolean {
  requireObject("decodable", "scheme", scheme, "a Scheme");
  requireObject("decodable", "jobProgress", jobProgress, "a JobProgress");
  const { workers: n, layout } = scheme;
  const { own, coded } = jobProgress;

  if (layout.lossy) return own.some((count) => count > 0);
  if (layout.own > 0 && !own.every((count) => count === layout.own)) return false;
  for (let b = 0; b < layout.groups; b++) {
    let missing = n;
    for (let i = 0; i < n; i++) missing -= coded[b * n + i];
    if (missing > layout.tolerance) return false;
  }
  return true;
}

/** The state after a round in which all but the stragglers have done what they were assigned. */
export function recordRound(
  scheme: Scheme,
  state: SchemeState,
  assigned: readonly Assignment[],
  stragglers: readonly number[],
): SchemeState {
  requireObject("recordRound", "scheme", scheme, "a Scheme");
  requireObject("recordRound", "state", state, "a SchemeState");
  requireObject("recordRound", "assigned", assigned, "an array");
  requireObject("recordRound", "stragglers", stragglers, "an array of numbers");
  const { workers: n, layout, memory, delay } = scheme;
  const slow = new Uint8Array(n);
  for (const worker of stragglers) slow[worker] = 1;
  const jobs = new Map(state.active.map((each) => [each.job, each]));
  for (const { job, tasks } of assigned) {
    const before = jobs.get(job) ?? newJob(scheme, job);
    const own = before.own.slice();
    let { coded } = before;
    for (let i = 0; i < n; i++) {
      const task = tasks[i];
      if (task < 0 || slow[i] === 1) continue;
      if (task < layout.own) own[i] += 1;
      else {
        if (coded === before.coded) coded = coded.slice();
        coded[(task - layout.own) * n + i] = 1;
      }
    }
    jobs.set(job, { job, own, coded });
  }
  const forgiven = scheme.forgives(state, assigned, stragglers);
  const recent = memory === 0 ? [] : [...state.recent, forgiven ? [] : [...stragglers]].slice(-memory);
  return {
    round: state.round + 1,
    jobs: state.jobs,
    active: [...jobs.values()].filter(({ job }) => job + delay >= state.round),
    recent,
  };
}

/** `[n]` work of each worker in a round, in full gradients. */
export function workOf(scheme: Scheme, assigned: readonly Assignment[]): Float64Array {
  const { workers: n, layout } = scheme;
  const total = unitsOf(scheme);
  const [own, coded] = [layout.ownSize / total, ((layout.tolerance + 1) * layout.codedSize) / total];
  const work = new Float64Array(n);
  for (const { tasks } of assigned) {
    for (let i = 0; i < n; i++) if (tasks[i] >= 0) work[i] += tasks[i] < layout.own ? own : coded;
  }
  return work;
}

/** All data in units of c. */
export function unitsOf({ workers: n, layout }: Scheme): number {
  return n * (layout.own * layout.ownSize + layout.groups * layout.codedSize);
}

/** Where a chunk begins and ends among the samples. */
export interface Range {
  /** First sample. */
  readonly from: number;
  /** First sample after it. */
  readonly to: number;
}

/** The chunks of some data, which hold every sample once. */
export interface Placement {
  /** `[n][own]` the chunks that each worker alone holds. */
  readonly own: readonly (readonly Range[])[];
  /** `[groups][n]` the coded chunks. */
  readonly coded: readonly (readonly Range[])[];
  /** L as it is with these numbers: the largest share of the data that a worker goes through in a round. */
  readonly load: number;
}

/**
 * Cuts samples into the chunks of a scheme. Where sizes do not divide, they differ by one sample.
 *
 * @throws ValueError unless there is a sample
 */
export function place(scheme: Scheme, samples: number): Placement {
  requireInteger("place", "samples", samples, 1);
  const { workers: n, layout } = scheme;
  const total = unitsOf(scheme);
  let units = 0;
  const cut = (size: number): Range => {
    const from = Math.round((units / total) * samples);
    units += size;
    return { from, to: Math.round((units / total) * samples) };
  };
  const times = <T>(count: number, make: (k: number) => T) => Array.from({ length: count }, (_, k) => make(k));
  const own = times(n, () => times(layout.own, () => cut(layout.ownSize)));
  const coded = times(layout.groups, () => times(n, () => cut(layout.codedSize)));
  return { own, coded, load: largestLoad(scheme, own, coded) / samples };
}

/** Samples of the worker's slots of a round: each of them may be the largest of its tasks. */
function largestLoad({ workers: n, layout, delay }: Scheme, own: Range[][], coded: Range[][]): number {
  const size = ({ from, to }: Range) => to - from;
  let most = 0;
  for (let i = 0; i < n; i++) {
    const first = own[i].map(size);
    const groups = coded.map((chunks) => {
      let sum = 0;
      for (const chunk of chunksHeld(layout.code, n, layout.tolerance, i)) sum += size(chunks[chunk]);
      return sum;
    });
    // A slot of M-SGC that holds a coded result may have to retry an own chunk.
    const retry = Math.max(0, ...first);
    const slots = layout.own > 0 ? delay + 1 : 1;
    let load = first.reduce((sum, each) => sum + each, 0);
    for (let k = layout.own; k < slots; k++) load += Math.max(retry, groups[k - layout.own] ?? 0);
    if (layout.own === 0) load = groups[0];
    most = Math.max(most, load);
  }
  return most;
}
