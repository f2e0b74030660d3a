export { type Activation, activation } from "./activation.js";
export type { Certificate } from "./certificate.js";
export type { MultiplierKind } from "./dense-programme.js";
export {
  type LipschitzBound,
  type LipschitzOptions,
  lipschitzBound,
  type ProgrammeForm,
  type Verification,
  verifyCertificate,
} from "./lipschitz-bound.js";
export type {
  FeedForwardNetwork,
  ImplicitNetwork,
  Layer,
  Network,
  ResidualBlock,
  ResidualNetwork,
} from "./network.js";
export { type NormPair, productBound } from "./product-bound.js";
export type { Multipliers } from "./quadratic-constraint.js";
