import { planRedundancyCommand } from "./plan-redundancy.js";

/** What this package adds to `offprint`. */
export const commands = [planRedundancyCommand];
