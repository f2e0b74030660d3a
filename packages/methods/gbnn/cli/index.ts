import { boostNetwork } from "./boost-network.js";
import { predictBoosted } from "./predict-boosted.js";

/** What this package adds to `offprint`. */
export const commands = [boostNetwork, predictBoosted];
