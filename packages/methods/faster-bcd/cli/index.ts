import { minimizeBlocks } from "./minimize-blocks.js";

/** What this package adds to `offprint`. */
export const commands = [minimizeBlocks];
