import { judgeLoraCommand } from "./judge-lora.js";

/** What this package adds to `offprint`. */
export const commands = [judgeLoraCommand];
