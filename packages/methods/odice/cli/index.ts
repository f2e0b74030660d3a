import { trainPolicy } from "./train-policy.js";

/** The commands of this package. */
export const commands = [trainPolicy];
