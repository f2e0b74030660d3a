import { solveEllipticCommand } from "./solve-elliptic.js";

/** What this package adds to `offprint`. */
export const commands = [solveEllipticCommand];
