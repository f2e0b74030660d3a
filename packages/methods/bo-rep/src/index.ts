export { type BoRepResult, boRep } from "./bo-rep.js";
export {
  type EpochPoint,
  type EpochRecord,
  type EpochSettings,
  type EpochSgdOptions,
  type EpochSgdResult,
  epochSgd,
} from "./epoch-sgd.js";
export { anil, type MetaLearningOptions, type MetaParameters, maml } from "./meta-learning.js";
export type { BoRepKept, BoRepOptions, Refinement } from "./options.js";
