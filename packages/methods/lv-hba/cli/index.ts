import { tuneSvm } from "./tune-svm.js";

/** What this package adds to `offprint`. */
export const commands = [tuneSvm];
