export { type DrawnState, type DrawsAlong, drawAlong, drawnRegularizer } from "./draw-along.js";
export { type FitLocallyOptions, fitLocally } from "./fit-locally.js";
export { drawSdeStep, type FitSdeLocallyOptions, fitSdeLocally, type SdeDraw } from "./fit-sde-locally.js";
export {
  foreignStep,
  type Heuristic,
  type LocalSdeTermOptions,
  type LocalStep,
  type LocalTermOptions,
  localSdeTerm,
  localTerm,
} from "./local-term.js";
export { type BlackBox, type Drawn, drawStep, type LocalOptions, localRegularizer, type Sampling } from "./sampling.js";
