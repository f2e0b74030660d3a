import { fitByValidation, fitClassifier, regress, sampleNetworks, wideNetworkLaw } from "../src/index.js";

/** The functions that claims are about; tests put baselines and broken variants in their place. */
export const published = { regress, fitByValidation, fitClassifier, sampleNetworks, wideNetworkLaw };

/** The same, whatever stands in their place. */
export type Method = typeof published;
