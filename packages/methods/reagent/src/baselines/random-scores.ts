import type { CausalLM } from "@offprint/language";
import { random } from "@offprint/tensor-core";

import { attribution, type BaselineAttribution, type BaselineOptions, explained } from "./baseline.js";

/** Scores uniform on [0, 1): what reported figures are measured against. */
export async function randomScores(
  lm: CausalLM,
  ids: Int32Array,
  options: BaselineOptions & { seed?: number | string } = {},
): Promise<BaselineAttribution> {
  const target = await explained("random", lm, ids, options, ["seed"]);
  const scores = random.rng(options.seed ?? 0).uniform([ids.length], { dtype: "float64" });
  return attribution(Float64Array.from(scores.data()), target);
}
