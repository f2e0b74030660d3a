import { maSoba, soba, stocBiO, ttsa } from "@offprint/bilevel";
import { boRep, epochSgd } from "../src/index.js";

/** The functions that claims are about; tests put baselines and broken variants in their place. */
export const published = { boRep, epochSgd, stocBiO, ttsa, soba, maSoba };

/** The same, whatever stands in their place. */
export type Method = typeof published;
