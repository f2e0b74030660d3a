import { transportMass } from "./transport-mass.js";

/** What this package adds to `offprint`. */
export const commands = [transportMass];
