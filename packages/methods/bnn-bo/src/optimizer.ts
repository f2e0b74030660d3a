import {
  checkOptions,
  hostTensor,
  random,
  requireChoice,
  requireInteger,
  requireNonNegative,
  ShapeError,
  ValueError,
} from "@offprint/tensor-core";
import { type AcquisitionName, acquisitionNames } from "./acquisition.js";
import { hypervolume, paretoFront } from "./hypervolume.js";
import type { BoSurrogate, SampledPosterior } from "./posterior.js";
import { gp } from "./process-surrogates.js";
import { bestBatch, evenPoints, type SearchSettings } from "./search-acquisition.js";
import { type SearchSpace, type Settings, searchSpace, type Variable } from "./search-space.js";

/** A trial that was made. */
export interface Trial {
  /** Its settings, one for each variable. */
  readonly settings: Settings;
  /** What came out, one number for each objective. */
  readonly values: readonly number[];
}

/** What an optimiser goes on from: a tree that survives `tree.toJson`. */
export interface OptimizerState {
  /** All trials. */
  readonly trials: readonly Trial[];
  /** Batches that were suggested. */
  readonly suggestions: number;
  /** Even points that were suggested so far. */
  readonly even: number;
  /** What the surrogate kept for each objective. */
  readonly memory: readonly unknown[];
}

/** Options of {@link bayesianOptimizer}. */
export interface OptimizerOptions {
  /** Number of objectives, m. Default 1. */
  readonly objectives?: number;
  /** Whether objectives are maximised: one word for all, or one for each. Default false. */
  readonly maximize?: boolean | readonly boolean[];
  /** Of several objectives: a value of each that is just not good enough. Needed with them. */
  readonly reference?: readonly number[];
  /** Default `gp()`. */
  readonly surrogate?: BoSurrogate;
  /**
   * `"qEI"` (default), `"qNEI"` (where trials are noisy), `"qUCB"`, `"qPI"`, `"thompson"`, `"EI"` (the closed form: one trial
   * at a time, Gaussian surrogates); for several objectives `"qEHVI"` (default).
   */
  readonly acquisition?: AcquisitionName;
  /** Trials before the surrogate is asked, >= 1. Default 2 d + 2, at most 20. */
  readonly initialTrials?: number;
  /** Functions drawn, >= 1. Default 128. */
  readonly samples?: number;
  /** Batches tried at first (default 16), those of them that are improved (2), steps of each (10). */
  readonly rawSamples?: number;
  /** See `rawSamples`. */
  readonly restarts?: number;
  /** See `rawSamples`. */
  readonly searchSteps?: number;
  /** Of qUCB, >= 0. Default 4. */
  readonly beta?: number;
  /** Decides on everything random. Default 0. */
  readonly seed?: number | string;
  /** What an earlier optimiser of the same space knew. */
  readonly state?: OptimizerState;
}

/** Says what to try next, from what was tried. */
export interface BayesianOptimizer {
  /** The space that is searched. */
  readonly space: SearchSpace;
  /**
   * The next trials, q at once: even points at first, then those that the acquisition values most. Of several objectives
   * five at most are chosen together, the next as if these had given what is expected of them.
   */
  suggest(q?: number, options?: { readonly signal?: AbortSignal }): Promise<(string | number)[][]>;
  /** Tells what came out of a trial; trials that were not suggested are welcome. */
  observe(settings: Settings, values: number | readonly number[]): void;
  /** The best trial, of one objective; undefined before the first. */
  readonly best: Trial | undefined;
  /** Trials that no other one dominates. */
  readonly front: readonly Trial[];
  /** What the trials dominate above the reference, of several objectives; else the best value. */
  readonly progress: number;
  /** What is odd about the trials so far, such as a reference that none exceeds; empty where nothing is. */
  readonly warnings: readonly string[];
  /** What to save. */
  readonly state: OptimizerState;
}

/** A point of a batch, and what the surrogates expect of it. */
interface Chosen {
  readonly point: Float64Array;
  readonly expected: readonly number[];
}

/** Points whose hypervolume is looked at together. */
const MOST_TOGETHER = 5;

/** @internal */
export const optimizerOptionNames = [
  ...["objectives", "maximize", "reference", "surrogate", "acquisition", "initialTrials", "samples", "rawSamples"],
  ...["restarts", "searchSteps", "beta", "seed", "state"],
];

/**
 * A Bayesian optimiser: `suggest` trials, make them, `observe` what came out.
 *
 * @param space - What can be varied.
 * @throws ValueError for options and settings out of range.
 * @example
 * ```ts
 * import { bayesianOptimizer } from "@offprint/bnn-bo";
 *
 * const optimizer = bayesianOptimizer([{ kind: "real", lower: -5, upper: 5 }], { seed: 1 });
 * for (let k = 0; k < 8; k++) {
 *   const [[x]] = await optimizer.suggest();
 *   optimizer.observe([x], (Number(x) - 1) ** 2);
 * }
 * console.log(optimizer.best);
 * ```
 */
export function bayesianOptimizer(space: readonly Variable[], options: OptimizerOptions = {}): BayesianOptimizer {
  const owner = "bayesianOptimizer";
  checkOptions(owner, options, optimizerOptionNames);
  const settled = searchSpace(owner, space);
  const d = settled.dimension;
  const { objectives: m = 1, maximize = false, reference, surrogate = gp(), seed = 0 } = options;
  const { acquisition = m === 1 ? "qEI" : "qEHVI", initialTrials = Math.min(20, 2 * d + 2) } = options;
  const { samples = 128, rawSamples = 16, restarts = 2, searchSteps = 10, beta = 4 } = options;
  requireInteger(owner, "objectives", m, 1);
  requireChoice(owner, "acquisition", acquisition, acquisitionNames);
  requireInteger(owner, "initialTrials", initialTrials, 1);
  requireInteger(owner, "samples", samples, 1);
  requireInteger(owner, "rawSamples", rawSamples, 1);
  requireInteger(owner, "restarts", restarts, 1);
  requireInteger(owner, "searchSteps", searchSteps, 0);
  requireNonNegative(owner, "beta", beta);
  if (typeof surrogate?.fit !== "function")
    throw new ValueError(`${owner}: surrogate has no fit; give gp(), ibnn(), ...`);
  if ((acquisition === "qEHVI") !== m > 1) {
    throw new ValueError(
      `${owner}: acquisition is "${acquisition}" of ${m} objectives; qEHVI is for several, and they for it`,
    );
  }
  const signs = signsOf(owner, maximize, m);
  if (m > 1 && reference?.length !== m) {
    throw new ValueError(`${owner}: reference has ${reference?.length} values; give ${m}, one for each objective`);
  }
  const raised = m > 1 ? reference!.map((v, j) => signs[j] * v) : undefined;
  const search: SearchSettings = {
    ...{ acquisition, samples, rawSamples, restarts, steps: searchSteps, beta },
    ...(raised && { reference: raised }),
  };
  const stream = random.rng(seed);
  let state = checkedState(owner, settled, m, options.state);
  /** Values as they are maximised. */
  const gains = () => state.trials.map(({ values }) => values.map((v, j) => signs[j] * v));
  const bestIndex = () => {
    const first = gains().map(([v]) => v);
    return first.indexOf(Math.max(...first));
  };

  /** The surrogates after all trials, and after points `[k, d]` that were chosen as if they had given what was expected. */
  const fitted = async (chosen: readonly Chosen[], signal?: AbortSignal) => {
    const y = [...gains(), ...chosen.map(({ expected }) => expected)];
    const flat = [
      ...state.trials.flatMap(({ settings }) => settled.encode(owner, settings)),
      ...chosen.flatMap(({ point }) => Array.from(point)),
    ];
    const x = hostTensor(Float64Array.from(flat), [y.length, d], "float64");
    const posteriors: SampledPosterior[] = [];
    const memory: unknown[] = [];
    for (let j = 0; j < m; j++) {
      const context = {
        rng: stream.fork(`fit ${state.suggestions} ${j}`),
        ...(state.memory[j] !== undefined && { memory: state.memory[j] }),
        ...(signal && { signal }),
      };
      const column = Float64Array.from(y, (row) => row[j]);
      const posterior = await surrogate.fit(x, column, context);
      posteriors.push(posterior);
      memory.push(posterior.memory);
    }
    return { x, y, posteriors, memory };
  };
  /** The best batch. Gains of hypervolume cost 2^q for q points together: parts of a larger batch are chosen in turn. */
  const searched = async (q: number, signal?: AbortSignal) => {
    const most = acquisition === "qEHVI" ? MOST_TOGETHER : q;
    const moved = (points: Float64Array) => movedTo(settled, owner, points);
    const chosen: Chosen[] = [];
    let memory: readonly unknown[] = [];
    for (let from = 0; from < q; from += most) {
      const part = Math.min(most, q - from);
      const { x, y, posteriors, memory: kept } = await fitted(chosen, signal);
      if (from === 0) memory = kept;
      const rng = stream.fork(`search ${state.suggestions}${from === 0 ? "" : `/${from}`}`);
      const points = await bestBatch(posteriors, { x, y }, part, search, moved, rng);
      // Nobody asks what is expected of the last part.
      const batch = hostTensor(points, [part, d], "float64");
      const means = from + part < q ? posteriors.map((each) => each.mean(batch).data()) : [];
      for (let k = 0; k < part; k++) {
        chosen.push({ point: points.subarray(k * d, (k + 1) * d), expected: means.map((values) => values[k]) });
      }
    }
    return { points: chosen.map(({ point }) => point), memory };
  };

  return {
    space: settled,
    async suggest(q = 1, settings = {}) {
      requireInteger(owner, "q", q, 1);
      checkOptions(`${owner}: suggest`, settings, ["signal"]);
      // Trials of a table may be the even points of an earlier optimiser: they are not suggested again.
      const from = Math.max(state.trials.length, state.even);
      const even = Math.min(q, Math.max(0, initialTrials - from));
      const first = even === 0 ? [] : evenSettings(settled, stream.fork("even"), from, even);
      const rest = q - even;
      if (rest === 0 || state.trials.length === 0) {
        const filled = rest === 0 ? first : evenSettings(settled, stream.fork("even"), from, q);
        state = { ...state, even: from + filled.length, suggestions: state.suggestions + 1 };
        return filled;
      }
      const { points, memory } = await searched(rest, settings.signal);
      state = { ...state, even: state.even + even, suggestions: state.suggestions + 1, memory };
      return [...first, ...points.map((point) => settled.decode(point))];
    },
    observe(settings, values) {
      settled.encode("observe", settings);
      const row = typeof values === "number" ? [values] : Array.from(values ?? []);
      if (row.length !== m)
        throw new ShapeError(`observe: there are ${row.length} values; the optimiser has ${m} objectives`);
      if (!row.every((v) => typeof v === "number" && Number.isFinite(v))) {
        throw new ValueError(`observe: the values are ${row}; give finite numbers, a bad one where a trial failed`);
      }
      state = { ...state, trials: [...state.trials, { settings: [...settings], values: row }] };
    },
    get best() {
      return m === 1 && state.trials.length > 0 ? state.trials[bestIndex()] : undefined;
    },
    get front() {
      const y = gains();
      const kept = y.length === 0 ? [] : paretoFront(y).map((row) => row.join());
      return state.trials.filter(
        (_, i) => kept.includes(y[i].join()) && y.findIndex((row) => row.join() === y[i].join()) === i,
      );
    },
    get progress() {
      if (state.trials.length === 0) return raised === undefined ? -signs[0] * Infinity : 0;
      return raised === undefined ? state.trials[bestIndex()].values[0] : hypervolume(gains(), raised);
    },
    get warnings() {
      if (raised === undefined || state.trials.length === 0 || hypervolume(gains(), raised) > 0) return [];
      return [
        `no trial is better than the reference ${reference} in all objectives, so that all are worth nothing; give a worse one`,
      ];
    },
    get state() {
      return state;
    },
  };
}

function signsOf(owner: string, maximize: boolean | readonly boolean[], m: number): number[] {
  const each = typeof maximize === "boolean" ? new Array<boolean>(m).fill(maximize) : maximize;
  if (Array.isArray(each) && each.length === m && each.every((word) => typeof word === "boolean")) {
    return each.map((up) => (up ? 1 : -1));
  }
  throw new ValueError(`${owner}: maximize must be true or false, or ${m} of them`);
}

function evenSettings(space: SearchSpace, rng: random.Rng, from: number, count: number): (string | number)[][] {
  const d = space.dimension;
  const points = evenPoints(rng, from + count, d).data();
  return Array.from({ length: count }, (_, k) => space.decode(points.subarray((from + k) * d, (from + k + 1) * d)));
}

/** Points of the settings nearest to them. */
function movedTo(space: SearchSpace, owner: string, points: Float64Array): Float64Array {
  const d = space.dimension;
  const moved = new Float64Array(points.length);
  for (let from = 0; from < points.length; from += d) {
    moved.set(space.encode(owner, space.decode(points.subarray(from, from + d))), from);
  }
  return moved;
}

function checkedState(owner: string, space: SearchSpace, m: number, given?: OptimizerState): OptimizerState {
  if (given === undefined) return { trials: [], suggestions: 0, even: 0, memory: [] };
  if (!Array.isArray(given.trials) || !Number.isSafeInteger(given.suggestions)) {
    throw new ValueError(`${owner}: state is not one of an optimiser; give the \`state\` of one`);
  }
  for (const { settings, values } of given.trials) {
    space.encode(`${owner}: state`, settings);
    if (values.length !== m)
      throw new ValueError(`${owner}: state has trials of ${values.length} values; there are ${m} objectives`);
  }
  return given;
}
