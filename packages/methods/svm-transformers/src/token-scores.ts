import {
  asTensor,
  expandDims,
  matmul,
  mul,
  requireFinite,
  ShapeError,
  squeeze,
  type Tensor,
  type TensorLike,
  where,
} from "@offprint/tensor-core";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";

/** gamma_it = Y_i v^T x_it, `[n, T]`; -Infinity where there is no token. */
export function scoresOf(owner: string, read: ReadExamples, v: TensorLike): Tensor {
  const direction = asTensor(v, "float64");
  if (direction.shape.join() !== String(read.dimension)) {
    throw new ShapeError(`${owner}: v has shape [${direction.shape}]; it must be [${read.dimension}]`);
  }
  requireFinite(owner, "v", direction);
  const values = squeeze(matmul(read.tokens, expandDims(direction, 1)), 2);
  return where(read.mask, mul(values, expandDims(read.labels, 1)), -Infinity);
}

/**
 * The score of every token under a linear head: `Y_i v^T x_it`, `[n, T]`. The higher, the more its selection lowers the loss.
 *
 * @throws ShapeError, ValueError for what does not fit.
 */
export function tokenScores(examples: AttentionExamples, v: TensorLike): Tensor {
  return scoresOf("tokenScores", readExamples("tokenScores", examples), v);
}

/** The tokens of the highest scores. */
export interface OptimalTokens {
  /** One of each example. */
  readonly tokens: number[];
  /** Whether no other token has the same score in any example. */
  readonly unique: boolean;
  /** Their scores. */
  readonly scores: number[];
}

/**
 * The globally optimal tokens: those of the highest score, the first of them where several have it.
 *
 * @throws ShapeError, ValueError for what does not fit.
 */
export function optimalTokens(examples: AttentionExamples, v: TensorLike): OptimalTokens {
  const read = readExamples("optimalTokens", examples);
  return optimalOf(scoresOf("optimalTokens", read, v));
}

/** The same of scores. */
export function optimalOf(scores: Tensor): OptimalTokens {
  const [count, length] = scores.shape;
  const values = scores.data();
  const tokens: number[] = [];
  const best: number[] = [];
  let unique = true;
  for (let i = 0; i < count; i++) {
    const row = values.subarray(i * length, (i + 1) * length);
    let at = 0;
    for (let t = 1; t < length; t++) if (row[t] > row[at]) at = t;
    for (let t = 0; t < length; t++) if (t !== at && row[t] === row[at]) unique = false;
    tokens.push(at);
    best.push(row[at]);
  }
  return { tokens, unique, scores: best };
}
