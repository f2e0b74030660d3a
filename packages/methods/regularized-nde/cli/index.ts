import { fitDensity } from "./fit-density.js";
import { fitDynamics } from "./fit-dynamics.js";
import { fitSeries } from "./fit-series.js";
import { predictSeries } from "./predict-series.js";

/** The commands of this package. */
export const commands = [fitDensity, fitDynamics, fitSeries, predictSeries];
