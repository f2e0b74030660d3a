export {
  type DensityFlow,
  type DensityFlowOptions,
  densityFlow,
  type FlowBatch,
  type FlowLayer,
  type FlowParameters,
} from "./density-flow.js";
export { type FitOdeOptions, fitOde } from "./fit-ode.js";
export { type FitSdeOptions, fitSde } from "./fit-sde.js";
export {
  type Dynamics,
  type Flowing,
  flowing,
  kineticPenalized,
  type Penalized,
  penalized,
  taylorPenalized,
} from "./higher-order.js";
export {
  type Aggregate,
  errorRegularizer,
  type Regularize,
  type SolverSteps,
  stiffnessRegularizer,
} from "./regularizers.js";
export { steerEnd, steerTimes } from "./steer-end.js";
