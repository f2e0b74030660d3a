export {
  barronClosedForm,
  barronRecursion,
  type GeneralRecursion,
  iterationsFor,
  type RefinedRecursion,
  type SplitRecursion,
  widthFor,
} from "./barron-recursion.js";
export { type DenseNewtonOptions, denseNewton } from "./baselines/dense-newton.js";
export { gridUnknownsLog10 } from "./baselines/grid-unknowns.js";
export { type RandomNetworkOptions, randomNetwork } from "./baselines/random-features.js";
export { type Certificate, type CertifyOptions, certify } from "./certify.js";
export {
  type DescendOptions,
  type DescentRecord,
  type DescentResult,
  type DescentState,
  descend,
  energyGradient,
  type Residual,
} from "./descend.js";
export { constantOnCube, isOdd, type Sine, sines } from "./dirichlet.js";
export {
  type Curvature,
  type GrowthTerm,
  type Lagrangian,
  linearLagrangian,
  type Partials,
  quarticLagrangian,
} from "./lagrangian.js";
export type { Modes } from "./modes.js";
export { type NetworkActivation, type NetworkConstants, networkConstants } from "./neurons.js";
export { fromModes, fromSamples, type Mode } from "./read-modes.js";
export type { Cosine, RealForm } from "./real-form.js";
export { type ModesData, SparseFourier } from "./sparse-fourier.js";
export { TooManyModesError } from "./too-many-modes-error.js";
export {
  evaluateNetwork,
  networkError,
  networkToOnnx,
  type SampledNetwork,
  type SampleNetworkOptions,
  sampleNetwork,
  type TwoLayerNetwork,
} from "./two-layer-network.js";
