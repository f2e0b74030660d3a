import { AbortedError, asTensor, isTensor, random, type Tensor, type TensorLike, take } from "@offprint/tensor-core";
import { sortedClasses } from "./classes.js";
import { fitClassifier, fitRegressor } from "./fit.js";
import type { GbnnOptions } from "./options.js";
import { stagedScore } from "./predict.js";
import { integerAtLeast, requireThat } from "./requirements.js";

/** What is tried. */
export interface Grid {
  /** J. Default 1, 2, 3, 4, as in the paper. */
  readonly unitsPerStep?: readonly number[];
  /** Default 0.25, 0.5, 0.75, 1. */
  readonly subsample?: readonly number[];
  /** Default 0.025, 0.05, 0.1, 0.5, 1. */
  readonly eta?: readonly number[];
}

/** Options of `gridSearch`. */
export interface GridSearchOptions {
  /** What `y` holds. */
  task: "classification" | "regression";
  /** Default the paper's grid of 80 points. */
  grid?: Grid;
  /** Folds of the cross-validation, 2 to n; classes keep their proportions. Default 10. */
  folds?: number;
  /** All other options of the fits. */
  base?: Omit<GbnnOptions, "onProgress" | "signal">;
  /** Source of the folds. Default 0. */
  seed?: number;
  /** Called after each fit. */
  onProgress?: (progress: { readonly done: number; readonly fits: number }) => unknown;
  /** Ends the search with an AbortedError. */
  signal?: AbortSignal;
}

/** One point of the grid. */
export interface GridPoint {
  /** J. */
  readonly unitsPerStep: number;
  /** Fraction of the samples per block. */
  readonly subsample: number;
  /** Factor of the steps. */
  readonly eta: number;
  /** Mean score over the folds: accuracy or R^2. */
  readonly score: number;
  /** Score of each fold. */
  readonly scores: readonly number[];
}

/** What a grid search gives. */
export interface GridSearchResult {
  /** Options of the best point, with those of `base`. */
  readonly best: GbnnOptions;
  /** All points, in the order of the grid. */
  readonly table: readonly GridPoint[];
}

/**
 * Chooses unitsPerStep, subsample and eta by cross-validation.
 *
 * @param x `[samples, features]`.
 * @param y classes, or numbers `[samples]` or `[samples, outputs]`.
 * @throws ValueError for an empty grid or folds out of range; as the fits.
 */
export async function gridSearch(
  x: TensorLike,
  y: Tensor | ArrayLike<number | string>,
  options: GridSearchOptions,
): Promise<GridSearchResult> {
  const { task, grid = {}, base = {}, seed = 0 } = options;
  const points = gridPoints(grid);
  requireThat(points.length > 0, "gridSearch: the grid is empty; give at least one value for each option");
  const samples = asTensor(x);
  const folds = makeFolds(task, y, samples.shape[0], options.folds ?? 10, seed);
  const table: GridPoint[] = [];
  for (const point of points) {
    const scores: number[] = [];
    for (const [f, test] of folds.entries()) {
      if (options.signal?.aborted) throw new AbortedError("gridSearch: aborted");
      const rest = folds.filter((_, other) => other !== f).flat();
      const train = (task === "classification" ? fitClassifier : fitRegressor) as typeof fitClassifier;
      const { model } = await train(take(samples, rest), chosenTargets(y, rest), { ...base, ...point });
      const staged = stagedScore(model, take(samples, test), chosenTargets(y, test));
      scores.push(staged[staged.length - 1]);
      await options.onProgress?.({ done: table.length * folds.length + f + 1, fits: points.length * folds.length });
    }
    table.push({ ...point, score: scores.reduce((a, b) => a + b, 0) / scores.length, scores });
  }
  const { unitsPerStep, subsample, eta } = table.reduce((best, point) => (point.score > best.score ? point : best));
  return { best: { ...base, unitsPerStep, subsample, eta }, table };
}

/** The score of the whole procedure: in every outer fold the options are searched on the other folds only. */
export async function nestedGridSearch(
  x: TensorLike,
  y: Tensor | ArrayLike<number | string>,
  options: GridSearchOptions & {
    /** Folds to be judged by. Default 10. */
    outerFolds?: number;
  },
): Promise<{ readonly score: number; readonly scores: readonly number[]; readonly chosen: readonly GbnnOptions[] }> {
  const samples = asTensor(x);
  const folds = makeFolds(options.task, y, samples.shape[0], options.outerFolds ?? 10, options.seed ?? 0);
  const scores: number[] = [];
  const chosen: GbnnOptions[] = [];
  for (const [f, test] of folds.entries()) {
    const rest = folds.filter((_, other) => other !== f).flat();
    const { best } = await gridSearch(take(samples, rest), chosenTargets(y, rest), options);
    const train = (options.task === "classification" ? fitClassifier : fitRegressor) as typeof fitClassifier;
    const { model } = await train(take(samples, rest), chosenTargets(y, rest), best);
    scores.push(stagedScore(model, take(samples, test), chosenTargets(y, test)).at(-1) as number);
    chosen.push(best);
  }
  return { score: scores.reduce((a, b) => a + b, 0) / scores.length, scores, chosen };
}

function gridPoints({
  unitsPerStep = [1, 2, 3, 4],
  subsample = [0.25, 0.5, 0.75, 1],
  eta = [0.025, 0.05, 0.1, 0.5, 1],
}: Grid) {
  return unitsPerStep.flatMap((J) =>
    subsample.flatMap((s) => eta.map((e) => ({ unitsPerStep: J, subsample: s, eta: e }))),
  );
}

/** Indices of the folds; classes are dealt out in turn, so that every fold has its share. */
function makeFolds(
  task: "classification" | "regression",
  y: Tensor | ArrayLike<number | string>,
  n: number,
  count: number,
  seed: number,
): number[][] {
  integerAtLeast("gridSearch", "folds", count, 2);
  requireThat(count <= n, `gridSearch: ${count} folds of ${n} samples; give at most ${n}`);
  const order = [...random.rng(`${seed}/folds`).permutation(n).data()];
  if (task === "classification") {
    const labels = isTensor(y) ? y.data() : y;
    const places = new Map(sortedClasses("gridSearch", labels).map((label, k) => [label, k]));
    order.sort((a, b) => (places.get(labels[a]) as number) - (places.get(labels[b]) as number));
  }
  return Array.from({ length: count }, (_, f) => order.filter((_, i) => i % count === f));
}

function chosenTargets(y: Tensor | ArrayLike<number | string>, rows: readonly number[]): Tensor | (number | string)[] {
  return isTensor(y) ? take(y, rows) : rows.map((i) => y[i]);
}
