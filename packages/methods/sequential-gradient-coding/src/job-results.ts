import { requireObject, ShapeError } from "@offprint/tensor-core";
import { DecodeError } from "./errors.js";
import { decodable, type JobProgress, type Placement, type Scheme } from "./scheme.js";

/** What workers have returned for a job: plain data. */
export interface JobResults {
  /** Sum over the own chunks that have come; empty before the first. */
  readonly sum: Float64Array;
  /** `[groups][n]` the coded results; null where none has come. */
  readonly coded: readonly (readonly (Float64Array | null)[])[];
  /** Samples of the chunks in `sum`. */
  readonly covered: number;
}

/** One result of a mini-task. */
export interface TaskResult {
  /** Who has computed it. */
  readonly worker: number;
  /** As in an assignment: an own chunk, or `own` + a group. */
  readonly task: number;
  /** Sum of loss and gradient over the chunk, or the coded sum over the worker's chunks of the group. */
  readonly vector: Float64Array;
}

/** Nothing yet. */
export function noResults(scheme: Scheme): JobResults {
  requireObject("noResults", "scheme", scheme, "a Scheme");
  const { workers, layout } = scheme;
  const nobody = () => new Array<null>(workers).fill(null);
  return { sum: new Float64Array(0), coded: Array.from({ length: layout.groups }, nobody), covered: 0 };
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  // An empty chunk has no vector.
  if (b.length === 0) return a;
  if (a.length === 0) return b.slice();
  if (a.length !== b.length)
    throw new ShapeError(`a worker's result has ${b.length} numbers, another one's ${a.length}`);
  return a.map((value, k) => value + b[k]);
}

/** With further results; in the order of the workers, whatever order they came in, so that sums are the same to the bit. */
export function withResults(
  scheme: Scheme,
  placement: Placement,
  before: JobResults,
  results: readonly TaskResult[],
): JobResults {
  requireObject("withResults", "scheme", scheme, "a Scheme");
  requireObject("withResults", "placement", placement, "a Placement");
  requireObject("withResults", "before", before, "JobResults");
  requireObject("withResults", "results", results, "an array");
  const { layout } = scheme;
  let { sum, covered } = before;
  const coded = before.coded.map((group) => [...group]);
  for (const { worker, task, vector } of [...results].sort((a, b) => a.worker - b.worker)) {
    if (task < layout.own) {
      sum = add(sum, vector);
      const { from, to } = placement.own[worker][task];
      covered += to - from;
    } else coded[task - layout.own][worker] = vector;
  }
  return { sum, coded, covered };
}

/**
 * The gradient of a job, with its loss in front: the sum of the own chunks and of the decoded groups.
 *
 * @throws DecodeError where results are missing that the code does not make up for
 */
export function combine(scheme: Scheme, progress: JobProgress, results: JobResults, samples: number): Float64Array {
  requireObject("combine", "scheme", scheme, "a Scheme");
  requireObject("combine", "progress", progress, "a JobProgress");
  requireObject("combine", "results", results, "JobResults");
  const { name, layout } = scheme;
  if (!decodable(scheme, progress)) {
    throw new DecodeError(`combine: job ${progress.job} of ${name} is not finished; its results are not enough`);
  }
  let total = results.sum;
  if (layout.lossy) return total.map((value) => (value * samples) / results.covered);
  const code = scheme.code();
  for (const group of results.coded) {
    const survivors = Array.from(group.keys()).filter((worker) => group[worker] !== null);
    const weights = code!.decode(survivors);
    const decoded = new Float64Array(Math.max(...survivors.map((worker) => group[worker]!.length)));
    for (const worker of survivors) {
      const vector = group[worker]!;
      const weight = weights[worker];
      for (let k = 0; k < vector.length; k++) decoded[k] += weight * vector[k];
    }
    total = add(total, decoded);
  }
  return total;
}
