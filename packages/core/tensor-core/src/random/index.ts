export type { CategoricalOptions } from "./discrete.js";
export type { FloatOptions } from "./parameter.js";
export {
  type ChoiceOptions,
  type LocationScaleOptions,
  type NormalOptions,
  Rng,
  type RngState,
  rng,
  type TruncatedNormalOptions,
  type UniformOptions,
} from "./rng.js";
export { type Scramble, type SobolOptions, SobolSequence, type SobolState, sobol } from "./sobol.js";
