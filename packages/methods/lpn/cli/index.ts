import { learnPrior } from "./learn-prior.js";
import { reconstructImage } from "./reconstruct-image.js";

/** The commands of this package. */
export const commands = [learnPrior, reconstructImage];
