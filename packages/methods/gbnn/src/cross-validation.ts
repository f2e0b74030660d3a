import { isTensor, random, requireInteger, type Tensor, type TensorLike, take } from "@offprint/tensor-core";
import type { Boosted } from "./boost.js";
import { sortedClasses } from "./classes.js";
import { fitClassifier, fitRegressor } from "./fit.js";
import type { GbnnModel } from "./model.js";
import type { FitOptions } from "./options.js";
import { stagedScore } from "./predict.js";
import { requireThat } from "./requirements.js";

/** What targets hold. */
export type Task = "classification" | "regression";

/** Classes, or numbers `[samples]` or `[samples, outputs]`. */
export type Targets = TensorLike | ArrayLike<number | string>;

/** Samples that are divided into folds. */
export class Folds {
  /** Rows of every fold. */
  readonly rows: readonly (readonly number[])[];

  /** Classes are dealt out in turn, so that every fold has its share. @throws ValueError for `count` out of 2..n. */
  constructor(
    owner: string,
    name: string,
    private readonly task: Task,
    private readonly x: Tensor,
    private readonly y: Targets,
    count: number,
    seed: number | string,
  ) {
    const n = x.shape[0];
    requireInteger(owner, name, count, 2);
    requireThat(count <= n, `${owner}: ${name} is ${count}, but there are ${n} samples; give at most ${n}`);
    const order = [...random.rng(`${seed}/folds`).permutation(n).data()];
    if (task === "classification") {
      const labels = (isTensor(y) ? y.data() : y) as ArrayLike<number | string>;
      const places = new Map(sortedClasses(owner, labels).map((label, k) => [label, k]));
      order.sort((a, b) => (places.get(labels[a]) as number) - (places.get(labels[b]) as number));
    }
    this.rows = Array.from({ length: count }, (_, f) => order.filter((_, i) => i % count === f));
  }

  /** The samples of all folds but one. */
  rest(fold: number): { readonly x: Tensor; readonly y: Targets } {
    return this.at(this.rows.filter((_, other) => other !== fold).flat());
  }

  /** Fits a network to all folds but one. */
  fit(fold: number, options: FitOptions): Promise<Boosted> {
    const { x, y } = this.rest(fold);
    return this.task === "classification"
      ? fitClassifier(x, y as ArrayLike<number | string>, options)
      : fitRegressor(x, y as TensorLike, options);
  }

  /** The score of a whole model on one fold. */
  score(fold: number, model: GbnnModel): number {
    const { x, y } = this.at(this.rows[fold]);
    const staged = stagedScore(model, x, y);
    return staged[staged.length - 1];
  }

  private at(rows: readonly number[]): { readonly x: Tensor; readonly y: Targets } {
    const y = this.y;
    return {
      x: take(this.x, rows),
      y: isTensor(y) ? take(y, rows) : rows.map((i) => (y as ArrayLike<number | string>)[i]),
    };
  }
}
