import { classifyNodes } from "./classify-nodes.js";
import { predictLinks } from "./predict-links.js";

/** What this package adds to `offprint`. */
export const commands = [classifyNodes, predictLinks];
