import { predictConvex } from "./predict-convex.js";
import { trainConvexNetwork } from "./train-convex.js";

/** What this package adds to `offprint`. */
export const commands = [trainConvexNetwork, predictConvex];
