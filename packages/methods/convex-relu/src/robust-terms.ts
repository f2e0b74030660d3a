import { asTensor, ShapeError, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";
import { timesColumns } from "./column-products.js";
import { designOf, targetsOf } from "./design.js";
import { checkLabels, type Loss, sampleLoss } from "./loss.js";
import { PatternOperator } from "./pattern-operator.js";
import { checkPatterns, type Patterns } from "./patterns.js";
import { radiiOf } from "./sample-patterns.js";

/** What the robust programme sees of its blocks. */
export interface RobustTerms {
  /** f_k = x_k^T R_k `[n]`, R_k = sum_i d_ik (v_i - w_i). */
  readonly f: Tensor;
  /** ||eps o R_k||_1 `[n]`: how far the linear piece moves at most while x_k moves in its box. */
  readonly dual: Tensor;
  /** `(2 D_i - I) X v_i - ||eps o v_i||_1`, `[n, 2P]`; where it is >= 0 a neuron keeps its activation in the whole box. */
  readonly slack: Tensor;
  /** Sum of the largest losses that the linear pieces have in the boxes. */
  loss(loss: Loss): number;
  /**
   * Sum of upper bounds of the largest losses that the *network* has in the boxes: what neurons that could change their
   * activation can add is counted in full, so it holds whether the blocks are feasible or not.
   */
  certifiedLoss(loss: Loss): number;
}

/**
 * The terms of the robust programme at blocks V, W.
 * @param X `[n, features]`.
 * @param y `[n]`.
 * @param V `[P, d]`, d with the column of ones.
 * @param W `[P, d]`.
 * @param eps radius of the box around a sample, one or `[features]`.
 * @throws ShapeError, ValueError for operands that do not fit.
 */
export function robustTerms(
  X: TensorLike,
  y: TensorLike,
  patterns: Patterns,
  V: TensorLike,
  W: TensorLike,
  eps: TensorLike,
  options: { bias?: boolean } = {},
): RobustTerms {
  const { bias = true } = options;
  const design = designOf("robustTerms", X, bias);
  const targets = targetsOf("robustTerms", y, design.n);
  checkPatterns("robustTerms", patterns, design.n);
  const operator = new PatternOperator(design, patterns);
  const blocks = new Float64Array(2 * operator.P * design.d);
  for (const [half, given] of [[0, asTensor(V, "float64")] as const, [1, asTensor(W, "float64")] as const]) {
    if (given.shape.join() !== [operator.P, design.d].join()) {
      throw new ShapeError(
        `robustTerms: blocks of shape [${given.shape}] for ${operator.P} patterns; give [${operator.P}, ${design.d}]`,
      );
    }
    blocks.set(given.data() as Float64Array, (half * blocks.length) / 2);
  }
  const terms = robustValues(operator, blocks, radiiOf("robustTerms", eps, design.d - (bias ? 1 : 0), design.d));
  const { f, dual, slack, excess } = terms;
  const total = (loss: Loss, extra?: Float64Array) => {
    checkLabels("robustTerms", loss, targets);
    return worstLoss(loss, terms, targets, extra);
  };
  return {
    f: tensor(f),
    dual: tensor(dual),
    slack: tensor(slack, { shape: [2 * operator.P, design.n] }).transpose(),
    loss: (loss) => total(loss),
    certifiedLoss: (loss) => total(loss, excess),
  };
}

/** @internal The same on typed arrays; slack is `[2P, n]`. */
interface RobustValues {
  readonly f: Float64Array;
  readonly dual: Float64Array;
  readonly slack: Float64Array;
  /** sum over the used neurons of what their activation can change beyond the linear piece, `[n]`. */
  readonly excess: Float64Array;
}

/** @internal */
export function robustValues(operator: PatternOperator, blocks: Float64Array, eps: Float64Array): RobustValues {
  const { P, n, d, mask, sign, xt } = operator;
  const difference = new Float64Array(P * d);
  operator.differences(blocks, difference);
  const f = new Float64Array(n);
  operator.predict(difference, f);
  const dual = new Float64Array(n);
  for (let c = 0; c < d; c++) {
    if (eps[c] === 0) continue;
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let i = 0; i < P; i++) sum += mask[i * n + k] * difference[i * d + c];
      dual[k] += eps[c] * Math.abs(sum);
    }
  }
  const slack = new Float64Array(2 * P * n);
  const excess = new Float64Array(n);
  const row = new Float64Array(n);
  for (let j = 0; j < 2 * P; j++) {
    timesColumns(xt, n, d, blocks, j * d, row);
    let reach = 0;
    for (let c = 0; c < d; c++) reach += eps[c] * Math.abs(blocks[j * d + c]);
    for (let k = 0, p = (j % P) * n, o = j * n; k < n; k++, p++, o++) {
      slack[o] = sign[p] * row[k] - reach;
      if (slack[o] < 0) excess[k] -= slack[o];
    }
  }
  return { f, dual, slack, excess };
}

/** @internal Sum of the losses with the worst move, and `extra` besides. */
export function worstLoss(
  loss: Loss,
  { f, dual }: Pick<RobustValues, "f" | "dual">,
  y: ArrayLike<number>,
  extra?: Float64Array,
): number {
  let sum = 0;
  for (let k = 0; k < f.length; k++) sum += sampleLoss(loss, f[k], y[k], dual[k] + (extra?.[k] ?? 0));
  return sum;
}
