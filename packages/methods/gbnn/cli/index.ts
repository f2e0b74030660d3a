import { boostNetwork } from "./boost-network.js";
import { boostPredict } from "./boost-predict.js";

/** What this package adds to `offprint`. */
export const commands = [boostNetwork, boostPredict];
