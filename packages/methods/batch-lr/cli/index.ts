import { scaleRates } from "./scale-rates.js";

/** The commands of this package. */
export const commands = [scaleRates];
