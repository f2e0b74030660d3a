import { fitAdapters, loraGradients, phaseDiagram } from "../src/index.js";

/** The functions that the claims are about; tests put baselines and broken variants in their place. */
export const loraLimits = { loraGradients, phaseDiagram, fitAdapters };

/** Their types. */
export type Method = typeof loraLimits;
