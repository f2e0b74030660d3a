export { type TargetSurrogatesOptions, targetSurrogates } from "./target-surrogates.js";
