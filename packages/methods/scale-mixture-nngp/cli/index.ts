import { predictIntervals } from "./predict-intervals.js";

/** What this package adds to `offprint`. */
export const commands = [predictIntervals];
