export {
  type Controller,
  type Decision,
  fixedController,
  integralController,
  type PiOptions,
  piController,
} from "./controller.js";
export {
  constantState,
  type EmbeddedStep,
  type EmbeddedStepOptions,
  embeddedStep,
  initialStepSize,
} from "./embedded-step.js";
export type { EventRecord, OdeEvent } from "./events.js";
export {
  type Adjoint,
  type Integral,
  type IntegrateOptions,
  integrate,
  type SolvedStep,
  type StepFold,
} from "./integrate.js";
export { explicitRungeKutta } from "./methods/explicit-runge-kutta.js";
export { type MethodName, methods, tableaus } from "./methods/index.js";
export type { ErrorNorm, Method, Step } from "./methods/method.js";
export type { Tableau } from "./methods/tableau.js";
export type { SteppingOptions } from "./options.js";
export { BrownianPath, type BrownianPathState, type Increment } from "./sde/brownian-path.js";
export type { NoiseForm } from "./sde/noise-form.js";
export { type Replay, type ReplayOptions, replaySde } from "./sde/replay-sde.js";
export {
  makeSdeSolver,
  type PlainDiffusion,
  type SdeSolution,
  type SdeSolver,
  type SolveSdeOptions,
  type StochasticInner,
  type StochasticRecord,
  type StochasticRow,
  type StochasticState,
  type StochasticSteps,
  solveSde,
} from "./sde/solve-sde.js";
export { sosri, sosri2 } from "./sde/sosri.js";
export type { Noise, StochasticMethod, StochasticStep, StochasticSystem } from "./sde/stochastic-method.js";
export {
  type StochasticMethodName,
  type StochasticSteppingOptions,
  stochasticMethods,
} from "./sde/stochastic-options.js";
export {
  type StochasticErrorOptions,
  type StochasticTableau,
  stochasticRungeKutta,
} from "./sde/stochastic-runge-kutta.js";
export type { OdeSolution } from "./solution.js";
export {
  makeSolver,
  type OdeSolver,
  type PlainRate,
  type ScalarRate,
  type SolveOptions,
  type SolveRecord,
  type SolveSettings,
  type SolveState,
  type SolveStatus,
  solve,
  solveSync,
  type TensorRate,
} from "./solve.js";
export type { Linearised, NormScope, System } from "./system.js";
