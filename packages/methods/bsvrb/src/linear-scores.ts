import type { Learner } from "@offprint/bilevel";
import { standardization } from "@offprint/data";
import { asTensor, div, mul, ShapeError, sub, sum, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";
import { requireFiniteRows } from "./finite-rows.js";

/** A linear model that scores items in any unit. */
export interface LinearScores extends Learner<Tensor> {
  /** `[p]` the weights of the items' own columns. */
  weights(params: Tensor): Tensor;
}

/**
 * A linear model without a bias of items that it standardises by column and divides by sqrt(p): their mean square is 1, so that
 * a step is as long in a table of any unit and width. It begins at zero.
 * @param items - `[N, p]`, those to learn from.
 * @throws ShapeError, ValueError for items that are none.
 * @example
 * const model = linearScores([[1, 200], [3, 100]]);
 * model.apply(tensor([1, 0]), tensor([[2, 150]]));
 */
export function linearScores(items: TensorLike): LinearScores {
  const owner = "linearScores";
  const table = asTensor(items, "float64");
  if (table.rank !== 2 || table.size === 0) {
    throw new ShapeError(`${owner}: items have shape [${table.shape}]; give [N, p] with a row and a column at least`);
  }
  requireFiniteRows(owner, "the table of items", table);
  const width = table.shape[1];
  const { mean, std } = standardization(table);
  const spread = mul(std, Math.sqrt(width));
  return {
    init: () => tensor(new Float64Array(width)),
    apply: (w, rows) => sum(mul(div(sub(rows, mean), spread), w), -1),
    weights: (w) => div(w, spread),
  };
}
