import { fitCurveCommand } from "./fit-curve.js";

/** What this package adds to `offprint`. */
export const commands = [fitCurveCommand];
