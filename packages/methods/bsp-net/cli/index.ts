import { meshShape } from "./mesh-shape.js";

/** What this package adds to `offprint`. */
export const commands = [meshShape];
