import { checkOptions, requireObject, type Tensor, ValueError } from "@offprint/tensor-core";
import { Folds, type Targets, type Task } from "./cross-validation.js";
import type { GbnnOptions } from "./options.js";

/** Samples and how they are divided: what every fit of a search has in common, kept once by each worker. */
export interface FoldData {
  /** `[samples, features]` */
  readonly x: Tensor;
  /** Classes or numbers. */
  readonly y: Targets;
  /** What `y` holds. */
  readonly task: Task;
  /** Number of folds. */
  readonly folds: number;
  /** Source of the folds. */
  readonly seed: number | string;
}

/** One fit of a search. */
export interface FoldQuestion {
  /** What `put` gave for {@link FoldData}. */
  readonly data: object;
  /** The fold that is left out. */
  readonly fold: number;
  /** Options of the fit. */
  readonly options: GbnnOptions;
}

/** What a worker lends to a job, of all that `@offprint/cluster` has for it. */
export interface FoldContext {
  /** Fires when the job is to end. */
  readonly signal: AbortSignal;
  /** A value that was `put`. */
  get<T>(ref: never): Promise<T>;
}

/** A job of `@offprint/cluster`: fits a network to all folds but one, and gives its score on that one. */
export async function scoreFold(question: FoldQuestion, foldContext: FoldContext): Promise<number> {
  requireObject("scoreFold", "question", question, "a FoldQuestion");
  requireObject("scoreFold", "foldContext", foldContext, "a FoldContext");
  const { signal, get } = foldContext;
  const owner = "scoreFold";
  checkOptions(owner, question, ["data", "fold", "options"]);
  const { x, y, task, folds: count, seed } = await get<FoldData>(question.data as never);
  const folds = new Folds(owner, "folds", task, x, y, count, seed);
  const { model, status } = await folds.fit(question.fold, { ...question.options, signal });
  if (status === "aborted") throw new ValueError(`${owner}: the fit was aborted; ask again`);
  return folds.score(question.fold, model);
}

/** Where fits run side by side: a cluster of `@offprint/cluster`, of threads or of many machines. */
export interface FoldWorkers {
  /** Keeps a value where every worker can get it. */
  put(value: unknown): Promise<object>;
  /** Runs a job for each of a list of arguments; outcomes come as they are ready. */
  map(
    job: string,
    argumentsList: Iterable<FoldQuestion>,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<{ readonly index: number; readonly value?: unknown; readonly error?: Error }>;
}
