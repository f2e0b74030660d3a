import { boundLocally } from "./bound-locally.js";

/** What this package adds to `offprint`. */
export const commands = [boundLocally];
