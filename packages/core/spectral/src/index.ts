export type { Complex } from "./complex.js";
export * as complex from "./complex.js";
export {
  type NavierStokes,
  type NavierStokesOptions,
  navierStokes,
  streamFunction,
  velocity,
  velocitySpectrum,
} from "./flow/navier-stokes.js";
export {
  carpenterKennedy,
  type LowStorageTableau,
  lowStorageScheme,
  type Scheme,
  type SchemeName,
  schemes,
} from "./flow/schemes.js";
export {
  type FrameRecord,
  type SimulateOptions,
  type Simulation,
  type SimulationPoint,
  simulate,
} from "./flow/simulate.js";
export type { StiffSystem } from "./flow/system.js";
export {
  type AxisConvolutionOptions,
  axisConvolution,
  type LowRankConvolutionOptions,
  type LowRankParams,
  lowRankConvolution,
} from "./layers/factorised.js";
export {
  type FourierLayerOptions,
  type FourierLayerParams,
  fourierLayer,
  type PointwiseOptions,
  type PointwiseParams,
  pointwise,
} from "./layers/fourier-layer.js";
export { extendModes, fromLowSpectrum, keptShape, lowSpectrum, requireModesFit } from "./layers/kept-modes.js";
export {
  type GridLayer,
  mixChannels,
  type SpectralConvolutionOptions,
  type SpectralConvolutionParams,
  type SpectralInitializer,
  spectralConvolution,
  spectralInitializers,
} from "./layers/spectral-convolution.js";
export {
  convolve,
  dealias,
  dealiasedProduct,
  derivative,
  divergence,
  gradient,
  gridMean,
  helmholtzInverse,
  laplacian,
  laplacianInverse,
  translate,
} from "./operators.js";
export { gaussianRandomField, type RandomFieldOptions } from "./random-field.js";
export { type SobolevOptions, sobolevNorm, sobolevSquared } from "./sobolev.js";
export {
  dealiasSymbol,
  derivativeSymbol,
  laplacianInverseSymbol,
  laplacianSymbol,
  multiplicity,
  sobolevSymbol,
  symbol,
  wavenumbers,
} from "./symbols.js";
export { coordinates, type Torus, type TorusOptions, torus } from "./torus.js";
export { toField, toSpectrum } from "./transform.js";
