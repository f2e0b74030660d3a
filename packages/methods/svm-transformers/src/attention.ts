import {
  asTensor,
  exp,
  expandDims,
  matmul,
  mul,
  neg,
  requireChoice,
  requireFinite,
  ShapeError,
  softmax,
  special,
  squeeze,
  sum,
  type Tensor,
  type TensorLike,
  transpose,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";
import type { LossName } from "./heads.js";

/** The weights of attention: W, or K and Q with W = K Q^T. */
export type AttentionWeights =
  | TensorLike
  | {
      /** K, `[d, m]`. */
      readonly k: TensorLike;
      /** Q, `[d, m]`. */
      readonly q: TensorLike;
    };

/** Scores `a_i = X_i W z_i`, `[n, T]`; -Infinity where there is no token. */
export function maskedScores(
  w: Tensor,
  { tokens, queries, mask }: Pick<ReadExamples, "tokens" | "queries" | "mask">,
): Tensor {
  const direction = matmul(queries, transpose(w));
  return where(mask, squeeze(matmul(tokens, expandDims(direction, 2)), 2), -Infinity);
}

/** Pooled tokens `X_i^T s_i`, `[n, d]`. */
export function pooledTokens(s: Tensor, tokens: Tensor): Tensor {
  return sum(mul(expandDims(s, 2), tokens), 1);
}

/** l(m), elementwise. */
export function lossOf(owner: string, loss: LossName): (margin: Tensor) => Tensor {
  requireChoice(owner, "loss", loss, ["logistic", "exponential", "linear"]);
  if (loss === "exponential") return (m) => exp(neg(m));
  if (loss === "linear") return (m) => neg(m);
  return (m) => special.softplus(neg(m));
}

/** W as a matrix, checked. */
export function readWeights(owner: string, weights: AttentionWeights, dimension: number): Tensor {
  if (weights === null || weights === undefined)
    throw new ValueError(`${owner}: weights is missing; give W or { k, q }`);
  if (typeof weights === "object" && "k" in weights && "q" in weights) {
    const k = asTensor(weights.k, "float64");
    const q = asTensor(weights.q, "float64");
    if (k.rank !== 2 || k.shape[0] !== dimension || k.shape.join() !== q.shape.join()) {
      throw new ShapeError(`${owner}: k has shape [${k.shape}] and q [${q.shape}]; both must be [${dimension}, m]`);
    }
    return matmul(k, transpose(q));
  }
  const w = asTensor(weights as TensorLike, "float64");
  if (w.shape.join() !== `${dimension},${dimension}`) {
    throw new ShapeError(`${owner}: W has shape [${w.shape}]; it must be [${dimension}, ${dimension}]`);
  }
  requireFinite(owner, "W", w);
  return w;
}

/**
 * What attention gives every token, `softmax(X_i W z_i)`, `[n, T]`.
 *
 * @throws ShapeError, ValueError for what does not fit.
 * @example
 * const s = attention(w, { tokens, queries, labels });
 */
export function attention(weights: AttentionWeights, examples: AttentionExamples): Tensor {
  const read = readExamples("attention", examples);
  return softmax(maskedScores(readWeights("attention", weights, read.dimension), read), 1);
}

/**
 * How parallel two matrices are: `<A, B> / (||A|| ||B||)`, in [-1, 1].
 * @throws ShapeError unless the shapes are the same; ValueError where one is 0.
 */
export function correlation(a: TensorLike, b: TensorLike): number {
  const [x, y] = [asTensor(a, "float64"), asTensor(b, "float64")];
  if (x.shape.join() !== y.shape.join()) {
    throw new ShapeError(`correlation: the shapes are [${x.shape}] and [${y.shape}]; they must be the same`);
  }
  const [p, q] = [x.data(), y.data()];
  // Scaled first, so that no square overflows.
  const [largestX, largestY] = [largest(p), largest(q)];
  if (!(largestX > 0 && largestY > 0)) throw new ValueError("correlation: a matrix of zeros has no direction");
  let [inner, xx, yy] = [0, 0, 0];
  for (let i = 0; i < p.length; i++) {
    const [s, t] = [p[i] / largestX, q[i] / largestY];
    inner += s * t;
    xx += s * s;
    yy += t * t;
  }
  return inner / Math.sqrt(xx * yy);
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}
