import { fitDynamics } from "./fit-dynamics.js";

/** The commands of this package. */
export const commands = [fitDynamics];
