import { solvePoreNetworkCommand } from "./solve-pore-network.js";

/** What this package adds to `offprint`. */
export const commands = [solvePoreNetworkCommand];
