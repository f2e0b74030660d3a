import { boundLipschitz } from "./bound-lipschitz.js";

/** What this package adds to `offprint`. */
export const commands = [boundLipschitz];
