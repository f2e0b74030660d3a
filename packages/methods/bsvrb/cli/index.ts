import { learnToRank } from "./learn-to-rank.js";
import { rankItems } from "./rank-items.js";

/** The commands of this package. */
export const commands = [learnToRank, rankItems];
