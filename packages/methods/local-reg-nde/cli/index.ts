import { learnDynamics } from "./learn-dynamics.js";

/** The commands of this package. */
export const commands = [learnDynamics];
