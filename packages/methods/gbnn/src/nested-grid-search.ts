import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireInteger, type TensorLike, tensor } from "@offprint/tensor-core";
import { Folds, type Targets } from "./cross-validation.js";
import {
  type Fitting,
  type GridSearchSettings,
  type GridState,
  type GridValues,
  gridSettingNames,
  searchGrid,
  valuesOf,
} from "./grid-search.js";
import { readFeatures } from "./model.js";
import type { GbnnOptions } from "./options.js";
import { requireThat, requireWord } from "./requirements.js";

/** One outer fold of a nested search. */
export interface NestedRecord {
  /** Outer folds done, from 1. */
  readonly iteration: number;
  /** Score of the options that were chosen without it. */
  readonly score: number;
}

/** Outer folds that are done, and where the next one was interrupted. */
export interface NestedScores {
  /** Of the outer folds that are done. */
  readonly scores: readonly number[];
  /** What was chosen for each. */
  readonly chosen: readonly GridValues[];
  /** Where the search of the next fold was interrupted. */
  readonly searching: GridState | null;
  /** Where the fit after it was. */
  readonly fitting: Fitting;
}

/** What a nested search goes on from. */
export type NestedState = RunState<NestedScores, NestedRecord>;

/** Options of `nestedGridSearch`. */
export interface NestedGridSearchOptions
  extends Omit<GridSearchSettings, "maxIterations">,
    RunOptions<NestedRecord, NestedState> {
  /** Folds to be judged by. Default 10. */
  readonly outerFolds?: number;
  /** Most outer folds, those of a resumed search included. Default all of them. */
  readonly maxIterations?: number;
}

/** What a nested search gives. */
export interface NestedGridSearchResult {
  /** Mean score over the outer folds that are done; NaN before the first. */
  readonly score: number;
  /** Score of each. */
  readonly scores: readonly number[];
  /** Options that were chosen for each. */
  readonly chosen: readonly GbnnOptions[];
  /** Outer folds done. */
  readonly iterations: number;
  /** The record of each. */
  readonly history: readonly NestedRecord[];
  /** `converged`: all outer folds are done. */
  readonly status: Status;
  /** What `resume` goes on from. */
  readonly state: NestedState;
}

/**
 * The score of the whole procedure: in every outer fold the options are searched on the other folds only.
 *
 * @throws as `gridSearch`.
 */
export async function nestedGridSearch(
  x: TensorLike,
  y: Targets,
  options: NestedGridSearchOptions,
): Promise<NestedGridSearchResult> {
  const owner = "nestedGridSearch";
  checkOptions(owner, options, [...gridSettingNames, "outerFolds", ...runOptionNames]);
  const {
    task,
    outerFolds = 10,
    seed = 0,
    maxIterations = outerFolds,
    signal,
    grid,
    base,
    folds,
    workers,
  } = options ?? {};
  requireWord(owner, "task", task, ["classification", "regression"]);
  const { data, rows, features } = readFeatures(owner, x);
  const outer = new Folds(owner, "outerFolds", task, tensor(data, { shape: [rows, features] }), y, outerFolds, seed);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const settings = {
    task,
    seed,
    ...(grid && { grid }),
    ...(base && { base }),
    ...(folds && { folds }),
    ...(workers && { workers }),
  };
  const interruption = <S>(resume: S | null) => ({ ...(signal && { signal }), ...(resume && { resume }) });
  const { last, ...run } = await runLoop<NestedScores, NestedRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ scores: [], chosen: [], searching: null, fitting: null }),
      async step({ scores, chosen, searching, fitting }) {
        const rest = outer.rest(scores.length);
        const search = await searchGrid(owner, rest.x, rest.y, settings, interruption(searching));
        if (search.best === undefined || search.status === "aborted") {
          return { scores, chosen, searching: search.state, fitting };
        }
        const fit = await outer.fit(scores.length, { ...search.best, ...interruption(fitting) });
        if (fit.status === "aborted") return { scores, chosen, searching: search.state, fitting: fit.state };
        const score = outer.score(scores.length, fit.model);
        const values = valuesOf(search.best);
        return { scores: [...scores, score], chosen: [...chosen, values], searching: null, fitting: null };
      },
      count: ({ scores }) => scores.length,
      record: ({ scores, searching }, iteration) =>
        searching === null ? { iteration, score: scores[iteration - 1] } : undefined,
      finished: ({ scores }) => (scores.length >= outerFolds ? "converged" : undefined),
      check: ({ scores, chosen }) =>
        requireThat(
          Array.isArray(scores) && Array.isArray(chosen) && scores.length <= outerFolds,
          `${owner}: resume is not the state of a search with these folds; give that of the earlier search`,
        ),
    },
    options,
  );
  const { scores } = last;
  const chosen = last.chosen.map((values) => ({ ...base, ...values }));
  return { ...run, score: scores.reduce((a, b) => a + b, 0) / scores.length, scores, chosen };
}
