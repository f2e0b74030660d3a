import { aipod, kktImplicit, lvHba, proxLagrangianValue } from "../src/index.js";

/** The functions that claims are about; tests put baselines and broken variants in their place. */
export const published = { lvHba, proxLagrangianValue, aipod, kktImplicit };

/** The same, whatever stands in their place. */
export type Method = typeof published;
