import { solvePde } from "./solve-pde.js";
import { trainPdeSolver } from "./train-pde-solver.js";

/** The commands of this package. */
export const commands = [trainPdeSolver, solvePde];
