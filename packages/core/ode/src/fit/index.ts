export { annealed, type Lambda } from "./annealed.js";
export {
  type OdeFitOptions,
  type OdeModel,
  type OdeSolving,
  odeFitOptionNames,
  type PlainOdeModel,
  prepared,
  rateAlong,
  requireOdeModel,
  type Solving,
  solvingOptions,
} from "./fit-options.js";
export {
  type RateNetwork,
  type SeriesDynamics,
  type SeriesDynamicsOptions,
  seriesDynamics,
} from "./series-dynamics.js";
export { type JudgedSolve, type RegularizedSolve, trainOde } from "./train-ode.js";
export {
  type RegularizedSdeSolve,
  type SdeFitOptions,
  type SdeFitPoint,
  type SdeFitRecord,
  type SdeFitResult,
  type SdeModel,
  sdeFitOptionNames,
  trainSde,
} from "./train-sde.js";
