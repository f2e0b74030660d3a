import { type CausalLM, requirePrompt, requireTarget } from "@offprint/language";
import { checkOptions } from "@offprint/tensor-core";
import { requireModel } from "../argument-checks.js";
import { NextToken, softmaxOf } from "../next-token.js";

/** What a baseline finds. */
export interface BaselineAttribution {
  /** `[L]` raw scores; a larger one is a more important token. */
  readonly scores: Float64Array;
  /** `[L]` softmax of the scores, as the authors' evaluation uses them. */
  readonly importance: Float64Array;
  /** The token that was explained. */
  readonly target: number;
}

/** Options that every baseline has. */
export interface BaselineOptions {
  /** Token whose probability is explained, an id of the model. Default the model's own prediction. */
  target?: number;
}

/** Checks a prompt and the names of options, and finds the token to explain. */
export async function explained(
  where: string,
  lm: CausalLM,
  ids: Int32Array,
  options: BaselineOptions,
  known: readonly string[] = [],
): Promise<number> {
  requireModel(where, lm);
  requirePrompt(where, ids, lm.vocabSize);
  checkOptions(where, options, ["target", ...known]);
  const { target } = options;
  if (target === undefined) return (await NextToken.after(lm, [ids], where)).best(0);
  requireTarget(where, target, lm.vocabSize);
  return target;
}

/** Scores with their softmax. */
export function attribution(scores: Float64Array, target: number): BaselineAttribution {
  return { scores, importance: softmaxOf(scores), target };
}
