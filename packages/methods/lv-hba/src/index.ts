export { type AffineConstraintsOptions, affineConstraints } from "./affine-constraints.js";
export { type AffineLowerLevel, type AipodKept, type AipodOptions, aipod } from "./aipod.js";
export { type KktOptions, type KktPoint, type KktRecord, type KktResult, kktImplicit } from "./kkt-implicit.js";
export { type LowerProgrammeOptions, type LowerProgrammeSolution, solveLowerProgramme } from "./lower-programme.js";
export {
  type LvHbaPoint,
  type LvHbaRecord,
  type LvHbaResidualOptions,
  type LvHbaResult,
  type LvHbaState,
  lvHba,
  lvHbaResidual,
} from "./lv-hba.js";
export type { LvHbaOptions } from "./options.js";
export { type SearchedCandidate, searchUpper } from "./search.js";
export { type SvmData, type SvmExamples, type SvmOptions, type SvmProblem, svmHyperParameters } from "./svm.js";
export {
  type ProxLagrangianOptions,
  type ProxLagrangianValue,
  proxLagrangianValue,
  type SaddlePoint,
} from "./value-function.js";
