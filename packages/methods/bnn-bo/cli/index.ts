import { suggestTrials } from "./suggest-trials.js";

/** What this package adds to `offprint`. */
export const commands = [suggestTrials];
