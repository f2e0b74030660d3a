import { fitTargets } from "./fit-targets.js";
import { predictTargets } from "./predict-targets.js";

/** What this package adds to `offprint`. */
export const commands = [fitTargets, predictTargets];
