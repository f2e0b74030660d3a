import { classifyBinary } from "./classify-binary.js";
import { packBinary } from "./pack-binary.js";
import { trainBinary } from "./train-binary.js";

/** What this package adds to `offprint`. */
export const commands = [trainBinary, packBinary, classifyBinary];
