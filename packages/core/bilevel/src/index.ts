export { type F2saKept, type F2saOptions, f2sa } from "./baselines/f2sa.js";
export { type SabaKept, type SabaOptions, type SagaTable, saba } from "./baselines/saba.js";
export { type MaSobaOptions, maSoba, type SobaKept, type SobaOptions, soba } from "./baselines/soba.js";
export {
  type NothingKept,
  type SeriesOptions,
  type StocBiOOptions,
  stocBiO,
  ttsa,
} from "./baselines/stocbio.js";
export {
  type BilevelMethod,
  type BilevelMove,
  type BilevelPoint,
  type BilevelRecord,
  type BilevelResult,
  type BilevelRunOptions,
  type BilevelState,
  checkBilevelOptions,
  type Rate,
  rateTensors,
  runBilevel,
} from "./bilevel-run.js";
export {
  type CompiledPhase,
  compiledPhase,
  keptFor,
  type ProblemFunctions,
  type ProblemIdentity,
  problemIdentity,
} from "./compiled-phase.js";
export type { Derivatives, VectorFunctions } from "./derivatives.js";
export { movingAverage } from "./estimators/moving-average.js";
export { msvr, msvrGamma } from "./estimators/msvr.js";
export { storm } from "./estimators/storm.js";
export { type Hypergradient, type HypergradientOptions, hypergradient } from "./hypergradient.js";
export type { HypergradientSolver, HypergradientState, SeriesState, SystemSolution } from "./hypergradient-system.js";
export {
  type DescentOptions,
  descentOptionNames,
  type LowerDescent,
  lowerDescent,
} from "./lower-descent.js";
export { refuseMisspelt } from "./misspelt-fields.js";
export { addCounts, noCounts, type OracleCounts, type OracleName } from "./oracle-counts.js";
export { type Oracles, oracles } from "./oracles.js";
export type {
  Batches,
  BatchSampler,
  BilevelProblem,
  ConstrainedBilevelProblem,
  FiniteSum,
  MultiBlockBilevelProblem,
  VariableProjections,
} from "./problem.js";
export {
  type LowerPoint,
  type LowerRecord,
  type LowerSolution,
  type SolveLowerOptions,
  solveLower,
} from "./solve-lower.js";
export { type DataCleaningOptions, dataCleaning } from "./templates/data-cleaning.js";
export { type HyperParametersOptions, hyperParameters } from "./templates/hyper-parameters.js";
export {
  type HyperRepresentationOptions,
  hyperRepresentation,
  type Task,
  type TaskBatch,
} from "./templates/hyper-representation.js";
export type { ExampleLoss, ExampleNumbers, Examples, Learner, LossName } from "./templates/learner.js";
export type { SupervisedData, SupervisedOptions } from "./templates/supervised-options.js";
export { type TrueGradientOptions, trueGradientNorm } from "./true-gradient-norm.js";
export { VectorProblem } from "./vector-problem.js";
