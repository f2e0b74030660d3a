import { type Awaitable, type CausalLM, requirePrompt } from "@offprint/language";
import { AbortedError, requireInteger, type Tensor, tensor } from "@offprint/tensor-core";

import { NextToken } from "./next-token.js";

/** Explains one token: what `reagent` and the baselines become when their other arguments are filled in. */
export type AttributionMethod = (ids: Int32Array, target: number) => Awaitable<{ readonly importance: Float64Array }>;

/** Options of `attributeGeneration`. */
export interface GenerationOptions {
  /** m: tokens to generate, >= 1. */
  maxNewTokens: number;
  /** Explains each of them: `(ids, target) => reagent(lm, ids, { target, replacer })`. */
  method: AttributionMethod;
  /** Generation ends after one of these, such as an end-of-text token. Default none. */
  stopIds?: readonly number[];
  /** Called after each token and awaited. */
  onProgress?: (progress: { readonly done: number; readonly of: number; readonly token: number }) => unknown;
  /** Ends with an AbortedError before the next token. */
  signal?: AbortSignal;
}

/** A generated continuation and where it came from. */
export interface GenerationAttribution {
  /** `[L + m]` the prompt and what was generated. */
  readonly ids: Int32Array;
  /** Number of tokens of the prompt, L. */
  readonly promptLength: number;
  /** float64 `[m, L + m - 1]`: row k is the importance of the L + k tokens before generated token k; zeros beyond. */
  readonly map: Tensor;
}

/**
 * Generates greedily, and explains every generated token by the prefix that it came from.
 * @throws AbortedError when the signal fires; whatever the method throws.
 */
export async function attributeGeneration(
  lm: CausalLM,
  promptIds: Int32Array,
  options: GenerationOptions,
): Promise<GenerationAttribution> {
  const where = "attributeGeneration";
  const { maxNewTokens, method, stopIds = [], onProgress, signal } = options;
  requirePrompt(where, promptIds, lm.vocabSize);
  requireInteger(where, "maxNewTokens", maxNewTokens, 1);
  let ids = promptIds;
  const rows: Float64Array[] = [];
  while (rows.length < maxNewTokens && !(rows.length > 0 && stopIds.includes(ids[ids.length - 1]))) {
    if (signal?.aborted) throw new AbortedError(`${where}: aborted after ${rows.length} tokens`);
    const token = (await NextToken.after(lm, [ids], where)).best(0);
    rows.push((await method(ids, token)).importance);
    ids = Int32Array.of(...ids, token);
    await onProgress?.({ done: rows.length, of: maxNewTokens, token });
  }
  const width = promptIds.length + rows.length - 1;
  const map = new Float64Array(rows.length * width);
  for (const [k, row] of rows.entries()) map.set(row, k * width);
  return { ids, promptLength: promptIds.length, map: tensor(map, { shape: [rows.length, width] }) };
}
