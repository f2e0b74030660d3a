import { cleanLabels } from "./clean-labels.js";

/** What this package adds to `offprint`. */
export const commands = [cleanLabels];
