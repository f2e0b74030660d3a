export {
  type DcdmOptions,
  type DcdmPoint,
  type DcdmRecord,
  type DcdmResult,
  type DcdmState,
  type Direction,
  type DirectionMap,
  dcdm,
} from "./dcdm.js";
export {
  type DeflatedOptions,
  type DeflatedPoint,
  type DeflatedRecord,
  type DeflatedResult,
  type DeflatedState,
  deflatedConjugateGradients,
} from "./deflated-conjugate-gradients.js";
export { directionLoss } from "./direction-loss.js";
export {
  type DirectionNetwork,
  type DirectionNetworkOptions,
  type DirectionParams,
  directionNetwork,
  directionsBy,
  directionsFrom,
  type NetworkSize,
  preconditionerBy,
} from "./direction-network.js";
export {
  type DirectionFitOptions,
  type DirectionFitPoint,
  type DirectionFitRecord,
  type DirectionFitResult,
  type DirectionFitState,
  fitDirectionNetwork,
} from "./fit-direction-network.js";
export { type SpdMatrix, tensorProduct } from "./linear-map.js";
export {
  divergence,
  type FaceVelocities,
  type MacGrid,
  macGrid,
  poissonMatrix,
  stillVelocities,
  stoppedAtSolids,
  withoutGradient,
} from "./mac-grid.js";
export { readAuthorsMatrix, readAuthorsVector } from "./read-authors-files.js";
export { type RitzPairs, type RitzSampleOptions, ritzPairs, ritzSamples, unitRows } from "./ritz-vectors.js";
export { shippedNetwork } from "./shipped-network.js";
export { type Plume, type PlumeOptions, type PressureSolver, plumeStep, stillPlume } from "./smoke-plume.js";
