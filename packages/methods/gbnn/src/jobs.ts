export { type FoldContext, type FoldData, type FoldQuestion, scoreFold } from "./fold-job.js";
