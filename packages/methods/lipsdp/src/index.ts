export type { Certificate } from "./certificate.js";
export type { MultiplierKind } from "./dense-programme.js";
export { enumerationBound } from "./enumeration-bound.js";
export { type LipschitzBound, type LipschitzOptions, lipschitzBound } from "./lipschitz-bound.js";
export { localRateNeuralOde, type NeuralOde, type NeuralOdeRate } from "./local-rate-neural-ode.js";
export type {
  ImplicitNetwork,
  Network,
  ResidualBlock,
  ResidualNetwork,
} from "./network.js";
export type { ProgrammeForm } from "./plan.js";
export { type NormPair, productBound } from "./product-bound.js";
export type { ProgrammeOptions, ProgrammeProgress, ProgrammeState } from "./programme-session.js";
export type { Multipliers } from "./quadratic-constraint.js";
export { type ResidualReluOptions, type ResidualReluResult, residualReluBound } from "./residual-relu-bound.js";
export { type SamplingOptions, samplingBound } from "./sampling-bound.js";
export { type Verification, verifyCertificate } from "./verify-certificate.js";
