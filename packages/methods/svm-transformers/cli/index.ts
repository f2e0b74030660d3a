import { separateTokens } from "./separate-tokens.js";

/** What this package adds to `offprint`. */
export const commands = [separateTokens];
