import { attributeTokens } from "./attribute-tokens.js";

/** What this package adds to `offprint`. */
export const commands = [attributeTokens];
