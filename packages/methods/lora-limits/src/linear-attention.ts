import { checkOptions, max, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { almostLinearOutput, polynomialFeatures } from "./almost-linear-gradient.js";
import { centred, choosePolynomial, chooseRange } from "./choose-polynomial.js";
import { rowNorms, weightError } from "./gradient-bound.js";
import { type Head, project, readHead } from "./head.js";
import { checkGradientOptions, type LoraGradientOptions } from "./lora-gradients.js";

/** Options of `almostLinearAttention`. */
export type AlmostLinearAttentionOptions = Omit<LoraGradientOptions, "strategy" | "tolerance">;

/** A head's output with polynomial weights. */
export interface AlmostLinearAttention {
  /** o, `[L, d]`. */
  readonly output: Tensor;
  /** No entry of o is further from the exact one than this. */
  readonly bound: number;
  /** g. */
  readonly degree: number;
  /** k_1. */
  readonly features: number;
}

/**
 * A head's output in almost linear time: `||o~ - o|| <= delta max ||V_i||` in every row.
 *
 * @throws as `loraGradients`.
 * @example
 * const { output, bound } = await almostLinearAttention(x, { q, k, v }, { epsilon: 1e-4 });
 */
export async function almostLinearAttention(
  x: TensorLike,
  head: Head,
  options: AlmostLinearAttentionOptions = {},
): Promise<AlmostLinearAttention> {
  const owner = "almostLinearAttention";
  checkOptions(owner, options, ["epsilon", "degree", "kind", "range", "center", "maxFeatures", "chunk"]);
  const { beta, causal, dtype, ...read } = readHead(owner, x, head);
  checkGradientOptions(owner, options);
  const projected = centred(project(read), options.center ?? false);
  const [length, width] = projected.v.shape;
  const range = chooseRange(owner, projected, beta, options);
  const polynomial = choosePolynomial(owner, { range, length, width }, options);
  const chunk = options.chunk === undefined ? {} : { chunk: options.chunk };
  const map = polynomialFeatures(polynomial, width);
  const output = await almostLinearOutput(projected, map, { beta, causal, owner, ...chunk });
  const features = map.count;
  const delta = weightError(polynomial, length, features, dtype);
  return { output, bound: delta * max(rowNorms(projected.v)).item(), degree: polynomial.degree, features };
}
