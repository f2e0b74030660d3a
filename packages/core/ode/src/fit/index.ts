export { annealed, type Lambda } from "./annealed.js";
export {
  type OdeFitOptions,
  type OdeModel,
  type OdeSolving,
  odeFitOptionNames,
  type Solving,
  solvingOptions,
} from "./fit-options.js";
export { type JudgedSolve, type RegularizedSolve, trainOde } from "./train-ode.js";
