export { type LdpsOptions, ldps, type PsldOptions, psld } from "./first-order.js";
export {
  type HessianTraceOptions,
  hessianTrace,
  type ProbeKind,
  type TraceMode,
  type TraceOptions,
  tweedieCovariance,
} from "./hessian-trace.js";
export { type LatentModel, pixelModel } from "./latent-model.js";
export { type LogLikelihoodOptions, type LogLikelihoods, surrogateLogLikelihood } from "./likelihood.js";
export {
  type LeastSquaresSettings,
  leastSquares,
  linearMeasurement,
  type Measurement,
  type MeasurementLike,
} from "./measurement.js";
export {
  blur,
  type GaussianBlurOptions,
  gaussianBlur,
  inpainting,
  type MotionBlurOptions,
  matrixMeasurement,
  motionBlur,
  superResolution,
} from "./operators.js";
export { type P2lOptions, p2l } from "./p2l.js";
export type { ModelCalls, RestoreOptions, RestoreResult, StepHook, StepInfo } from "./restoration.js";
export { type StslOptions, stsl } from "./stsl.js";
export { type Editor, type EditorOptions, type StslEditOptions, type StslEditResult, stslEdit } from "./stsl-edit.js";
export { type TmpdOptions, tmpd } from "./tmpd.js";
