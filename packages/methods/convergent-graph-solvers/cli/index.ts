import { classifyGraphs } from "./classify-graphs.js";
import { solvePoreNetworkCommand } from "./solve-pore-network.js";

/** The commands of this package. */
export const commands = [solvePoreNetworkCommand, classifyGraphs];
