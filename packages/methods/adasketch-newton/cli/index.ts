import { minimizeFormula } from "./minimize-formula.js";

/** What this package adds to `offprint`. */
export const commands = [minimizeFormula];
