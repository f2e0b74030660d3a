import type { CausalLM } from "@offprint/language";
import { random } from "@offprint/tensor-core";

import { requireFunction } from "../argument-checks.js";
import { NextToken } from "../next-token.js";
import { type Replacer, replaced } from "../replacer.js";
import { attribution, type BaselineAttribution, type BaselineOptions, explained } from "./baseline.js";

/** Options of `leaveOneOut`. */
export interface LeaveOneOutOptions extends BaselineOptions {
  /** Where the replacement of each token comes from. */
  replacer: Replacer;
  /** Source of randomness. Default 0. */
  seed?: number | string;
}

/** Leave one out: by how much the target's probability falls when one token is replaced. */
export async function leaveOneOut(
  lm: CausalLM,
  ids: Int32Array,
  options: LeaveOneOutOptions,
): Promise<BaselineAttribution> {
  const where = "leaveOneOut";
  const target = await explained(where, lm, ids, options ?? {}, ["replacer", "seed"]);
  const { replacer, seed = 0 } = (options ?? {}) as Partial<LeaveOneOutOptions>;
  requireFunction(where, "replacer", replacer, "give one of replacers, such as replacers.mlm(maskedModel)");
  const p0 = (await NextToken.after(lm, [ids], where)).probability(0, target);
  const places = Array.from(ids, (_, i) => i);
  const masks = places.map((i) => places.map((k) => k === i));
  const rngs = random.rng(seed).split(ids.length);
  const at = { step: 0, purpose: "single", runs: places } as const;
  const prompts = await replaced(
    replacer as Replacer,
    places.map(() => ids),
    masks,
    rngs,
    at,
    lm.vocabSize,
  );
  const next = await NextToken.after(lm, prompts, where);
  return attribution(
    Float64Array.from(places, (i) => p0 - next.probability(i, target)),
    target,
  );
}
