import { growBatches } from "./grow-batches.js";

/** What this package adds to `offprint`. */
export const commands = [growBatches];
