import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireInteger, type TensorLike, tensor } from "@offprint/tensor-core";
import type { GbnnRecord, GbnnState } from "./boost.js";
import { Folds, type Targets, type Task } from "./cross-validation.js";
import type { FoldWorkers } from "./fold-job.js";
import { FoldScores } from "./fold-scores.js";
import { readFeatures } from "./model.js";
import { type GbnnOptions, gbnnOptionNames } from "./options.js";
import { requireThat, requireWord } from "./requirements.js";

/** What is tried. */
export interface Grid {
  /** J. Default 1, 2, 3, 4, as in the paper. */
  readonly unitsPerStep?: readonly number[];
  /** Default 0.25, 0.5, 0.75, 1. */
  readonly subsample?: readonly number[];
  /** eta. Default 0.025, 0.05, 0.1, 0.5, 1. */
  readonly learningRate?: readonly number[];
}

/** What is searched, and how. */
export interface GridSearchSettings {
  /** What `y` holds. */
  readonly task: Task;
  /** Default the paper's grid of 80 points. */
  readonly grid?: Grid;
  /** Folds of the cross-validation, 2 to n; classes keep their proportions. Default 10. */
  readonly folds?: number;
  /** All other options of the fits. */
  readonly base?: GbnnOptions;
  /** Most fits, those of a resumed search included. Default all of them: points times folds. */
  readonly maxIterations?: number;
  /** Source of the folds. Default 0. */
  readonly seed?: number | string;
  /**
   * Where the fits are made, side by side: a cluster of `@offprint/cluster`, whose workers have this package. The numbers
   * are those of a search without one; fits that are under way when it is stopped are made again. Default here, one by one.
   */
  readonly workers?: FoldWorkers;
}

/** Options of `gridSearch`. */
export interface GridSearchOptions extends GridSearchSettings, RunOptions<GridRecord, GridState> {}

/** Values of one point of the grid. */
export interface GridValues {
  /** J. */
  readonly unitsPerStep: number;
  /** Fraction of the samples per block. */
  readonly subsample: number;
  /** Factor of the steps. */
  readonly learningRate: number;
}

/** One fit of a search. */
export interface GridRecord extends GridValues {
  /** Fits made, from 1. */
  readonly iteration: number;
  /** The fold that was left out, from 0. */
  readonly fold: number;
  /** Accuracy or R^2 on it. */
  readonly score: number;
}

/** One point of the grid. */
export interface GridPoint extends GridValues {
  /** Mean score over the folds: accuracy or R^2. */
  readonly score: number;
  /** Score of each fold. */
  readonly scores: readonly number[];
}

/** Where a fit of a network was interrupted; null between fits. */
export type Fitting = RunState<GbnnState, GbnnRecord> | null;

/** Scores of the fits so far. */
export interface GridScores {
  /** Point after point, fold after fold. */
  readonly scores: readonly number[];
  /** Where the next fit was interrupted. */
  readonly fitting: Fitting;
}

/** What a search goes on from. */
export type GridState = RunState<GridScores, GridRecord>;

/** What a grid search gives. */
export interface GridSearchResult {
  /** Options of the best point that was tried on all folds, with those of `base`; undefined before there is one. */
  readonly best: (GbnnOptions & GridValues) | undefined;
  /** The points that were tried on all folds, in the order of the grid. */
  readonly table: readonly GridPoint[];
  /** Fits made. */
  readonly iterations: number;
  /** The record of each. */
  readonly history: readonly GridRecord[];
  /** `converged`: all points were tried. */
  readonly status: Status;
  /** What `resume` goes on from. */
  readonly state: GridState;
}

/** Names of {@link GridSearchSettings}. */
export const gridSettingNames = [
  "task",
  "grid",
  "folds",
  "base",
  "maxIterations",
  "seed",
  "workers",
] as const satisfies readonly (keyof GridSearchSettings)[];

/**
 * Chooses unitsPerStep, subsample and learningRate by cross-validation.
 *
 * @param x `[samples, features]`; plain arrays are read as float64.
 * @param y classes, or numbers `[samples]` or `[samples, outputs]`.
 * @throws ValueError for an empty grid or folds out of range; as the fits.
 */
export async function gridSearch(x: TensorLike, y: Targets, options: GridSearchOptions): Promise<GridSearchResult> {
  const owner = "gridSearch";
  checkOptions(owner, options, [...gridSettingNames, ...runOptionNames]);
  return searchGrid(owner, x, y, options, options);
}

/** {@link gridSearch} for a public function of another name. */
export async function searchGrid(
  owner: string,
  x: TensorLike,
  y: Targets,
  settings: GridSearchSettings,
  running: RunOptions<GridRecord, GridState>,
): Promise<GridSearchResult> {
  const { task, grid = {}, base = {}, seed = 0, folds: count = 10, workers } = settings ?? {};
  requireWord(owner, "task", task, ["classification", "regression"]);
  checkOptions(owner, grid, ["unitsPerStep", "subsample", "learningRate"]);
  checkOptions(owner, base, gbnnOptionNames);
  const points = gridPoints(grid);
  requireThat(points.length > 0, `${owner}: the grid is empty; give at least one value for each option`);
  const { data, rows, features } = readFeatures(owner, x);
  const inputs = tensor(data, { shape: [rows, features] });
  const folds = new Folds(owner, "folds", task, inputs, y, count, seed);
  if (workers !== undefined) requireWorkers(owner, workers, base);
  const elsewhere =
    workers &&
    new FoldScores(
      workers,
      { x: inputs, y, task, folds: count, seed },
      points.map((point) => ({ ...base, ...point })),
    );
  const fits = points.length * count;
  const { maxIterations = fits } = settings;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  let told = running.resume?.inner?.scores?.length ?? 0;
  const { last, ...run } = await runLoop<GridScores, GridRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ scores: [], fitting: null }),
      async step({ scores, fitting }) {
        const { signal } = running;
        if (elsewhere !== undefined) {
          const score = await elsewhere.take(scores.length, Math.min(fits, maxIterations), signal);
          return { scores: score === undefined ? scores : [...scores, score], fitting: null };
        }
        const point = points[Math.floor(scores.length / count)];
        const fold = scores.length % count;
        const interruption = { ...(signal && { signal }), ...(fitting && { resume: fitting }) };
        const { model, status, state } = await folds.fit(fold, { ...base, ...point, ...interruption });
        if (status === "aborted") return { scores, fitting: state };
        return { scores: [...scores, folds.score(fold, model)], fitting: null };
      },
      count: ({ scores }) => scores.length,
      record({ scores }, iteration) {
        // Nothing for a fit that was interrupted.
        if (scores.length === told) return undefined;
        told = scores.length;
        const made = scores.length - 1;
        return { iteration, ...points[Math.floor(made / count)], fold: made % count, score: scores[made] };
      },
      finished: ({ scores }) => (scores.length >= fits ? "converged" : undefined),
      check: ({ scores }) =>
        requireThat(
          Array.isArray(scores) && scores.length <= fits,
          `${owner}: resume is not the state of a search of this grid; give that of the earlier search`,
        ),
    },
    running,
  ).finally(() => elsewhere?.close());
  const table = scored(points, last.scores, count);
  const best = table.length === 0 ? undefined : table.reduce((a, b) => (b.score > a.score ? b : a));
  return { ...run, best: best && { ...base, ...valuesOf(best) }, table };
}

function requireWorkers(owner: string, workers: FoldWorkers, base: GbnnOptions): void {
  const whole = typeof workers?.map === "function" && typeof workers.put === "function";
  requireThat(whole, `${owner}: workers are not a cluster; give what \`cluster()\` of @offprint/cluster gives`);
  requireThat(
    base.loss === undefined,
    `${owner}: base.loss is a function, which cannot be sent to workers; leave it or the workers out`,
  );
}

/** The values of a point without what else it holds. */
export function valuesOf({ unitsPerStep, subsample, learningRate }: GridValues): GridValues {
  return { unitsPerStep, subsample, learningRate };
}

/** The points that have a score for every fold. */
function scored(points: readonly GridValues[], all: readonly number[], count: number): GridPoint[] {
  return points.slice(0, Math.floor(all.length / count)).map((point, p) => {
    const scores = all.slice(p * count, (p + 1) * count);
    return { ...point, score: scores.reduce((a, b) => a + b, 0) / count, scores };
  });
}

function gridPoints({
  unitsPerStep = [1, 2, 3, 4],
  subsample = [0.25, 0.5, 0.75, 1],
  learningRate = [0.025, 0.05, 0.1, 0.5, 1],
}: Grid): GridValues[] {
  return unitsPerStep.flatMap((J) =>
    subsample.flatMap((s) => learningRate.map((eta) => ({ unitsPerStep: J, subsample: s, learningRate: eta }))),
  );
}
