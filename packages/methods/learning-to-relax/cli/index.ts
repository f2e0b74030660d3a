import { solveSequenceCommand } from "./solve-sequence.js";

/** What this package adds to `offprint`. */
export const commands = [solveSequenceCommand];
