export { type BdiaOptions, bdiaInvert, bdiaSample } from "./bdia.js";
export { type BdiaEditOptions, type BdiaEditResult, bdiaEdit } from "./bdia-edit.js";
export { type EdictOptions, edictInvert, edictSample } from "./edict.js";
export type { IntegratorName, OwnIntegrator } from "./integrators.js";
export { oBelmInvert, oBelmSample } from "./o-belm.js";
export type { PairOptions, PairResult } from "./two-step.js";
