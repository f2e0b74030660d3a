export {
  EpsilonGreedy,
  type EpsilonGreedyOptions,
  FixedSetting,
  Ucb1,
} from "./baselines.js";
export { type BoxLeastSquaresResult, boxLeastSquares } from "./box-least-squares.js";
export { ChebCB, type ChebCBModel, type ChebCBOptions } from "./cheb-cb.js";
export type { OutsideRange } from "./context-range.js";
export { type Asymptocity, type AsymptocityOptions, asymptocity, defectSpectralRadius } from "./defect-map.js";
export { type SorEnergyBound, sorEnergyBound, sorEnergyNorm } from "./energy-bound.js";
export { type CostedPoints, type GoldenSectionResult, goldenSection } from "./golden-section.js";
export { type Hindsight, hindsight } from "./hindsight.js";
export { omegaGrid } from "./omega-grid.js";
export type { OnlinePolicy, PendingChoice, PolicyState } from "./policy.js";
export { policyFromJSON } from "./policy-from-json.js";
export {
  type LinearSystem,
  type SequenceSolver,
  type SolvedRound,
  type SolvedSystem,
  type SolveSequenceOptions,
  type SolveSequenceResult,
  solveSequence,
} from "./solve-sequence.js";
export {
  omegaStar,
  type SurrogateOptions,
  sorSpectralRadius,
  surrogate,
  surrogateLipschitz,
  tsallisRegretBound,
} from "./sor-theory.js";
export { jacobiSpectralRadius } from "./splitting.js";
export { type SsorCgBound, ssorCgBound } from "./ssor-cg-bound.js";
export { TsallisInf, type TsallisInfOptions } from "./tsallis-inf.js";
export { TsallisInfBinned, type TsallisInfBinnedOptions } from "./tsallis-inf-binned.js";
export { type TsallisDistribution, tsallisProbabilities } from "./tsallis-probabilities.js";
export {
  type Problems,
  type Round,
  type SequenceState,
  type TuneSequenceOptions,
  type TuneSequenceResult,
  tuneSequence,
} from "./tune-sequence.js";
