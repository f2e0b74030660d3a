import { solvePoissonCommand } from "./solve-poisson.js";

/** What this package adds to `offprint`. */
export const commands = [solvePoissonCommand];
