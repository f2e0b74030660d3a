export type {
  LocationScaleOptions,
  NormalOptions,
  TruncatedNormalOptions,
  UniformOptions,
} from "./continuous-draws.js";
export type { CategoricalOptions } from "./discrete.js";
export type { ChoiceOptions } from "./discrete-draws.js";
export type { FloatOptions } from "./parameter.js";
export { Rng, type RngState, rng } from "./rng.js";
export { type Scramble, type SobolOptions, SobolSequence, type SobolState, sobol } from "./sobol.js";
