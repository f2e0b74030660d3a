export {
  type Estimate,
  type EstimateOptions,
  estimate,
  type ReliabilityInput,
  reliabilityBound,
  solverStepRate,
  type TimeDerivative,
} from "./estimate.js";
export { type EstimateForecastOptions, estimateForecast } from "./estimate-forecast.js";
export { type FitOperatorOptions, fitOperator, relativeError } from "./fit-operator.js";
export {
  decayingFlows,
  type FlowFamily,
  type FlowFamilyOptions,
  forcedFlows,
  type GenerateOptions,
  generateFlows,
  taylorGreen,
} from "./flows.js";
export { type Forecast, type ForecastTimes, forecastFrames, framesOf, persistence } from "./forecast.js";
export { type ForecastFromOptions, forecastFrom } from "./forecast-from-frames.js";
export {
  type FlowOperator,
  type FlowOperatorOptions,
  type FlowOperatorParams,
  flowOperator,
  type TwoLayerParams,
} from "./operator.js";
export { type RefineOptions, type RefineRecord, type RefineResult, type RefineState, refine } from "./refine.js";
export { type RefineOperatorOptions, type RefineOperatorResult, refineOperator } from "./refine-operator.js";
