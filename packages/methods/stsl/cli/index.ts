import { restore } from "./restore.js";

/** The commands of this package. */
export const commands = [restore];
