import type { FoldData, FoldWorkers } from "./fold-job.js";
import type { GbnnOptions } from "./options.js";

/** Scores of fits that workers find in any order, taken in the order of the search. */
export class FoldScores {
  private readonly early = new Map<number, number>();
  private readonly ending = new AbortController();
  private outcomes:
    | AsyncIterator<{ readonly index: number; readonly value?: unknown; readonly error?: Error }>
    | undefined;
  private first = 0;

  /** @param points options of the points of the grid, each of which is fitted to all folds. */
  constructor(
    private readonly workers: FoldWorkers,
    private readonly data: FoldData,
    private readonly points: readonly GbnnOptions[],
  ) {}

  /** The score of a fit; undefined where the signal fired first. Those after it, up to `until`, are under way. */
  async take(fit: number, until: number, signal: AbortSignal | undefined): Promise<number | undefined> {
    const end = () => this.ending.abort();
    signal?.addEventListener("abort", end);
    try {
      this.outcomes ??= await this.begin(fit, until);
      while (!this.early.has(fit)) {
        const { done, value: outcome } = await this.outcomes.next();
        if (done || signal?.aborted) return undefined;
        if (outcome.error !== undefined) throw outcome.error;
        this.early.set(this.first + outcome.index, outcome.value as number);
      }
    } finally {
      signal?.removeEventListener("abort", end);
    }
    const score = this.early.get(fit);
    this.early.delete(fit);
    return score;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.ending.abort();
    await this.outcomes?.return?.();
  }

  private async begin(first: number, until: number) {
    this.first = first;
    const data = await this.workers.put(this.data);
    const { folds } = this.data;
    const questions = Array.from({ length: until - first }, (_, k) => {
      const fit = first + k;
      return { data, fold: fit % folds, options: this.points[Math.floor(fit / folds)] };
    });
    const { signal } = this.ending;
    return this.workers.map("@offprint/gbnn#scoreFold", questions, { signal })[Symbol.asyncIterator]();
  }
}
