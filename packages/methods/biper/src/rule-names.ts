import { realWeights, standardizedSign, straightThrough, xnorScale } from "./baselines.js";
import { periodic, type WeightRule } from "./weight-rules.js";

/** The rules of this package by the names that files use. */
export const ruleNames: Readonly<Record<string, (omega?: number) => WeightRule>> = {
  periodic: (omega) => periodic(omega === undefined ? {} : { omega }),
  "straight-through": straightThrough,
  "xnor-scale": xnorScale,
  "standardized-sign": standardizedSign,
  real: realWeights,
};
