import { hessianTrace, stsl, stslEdit, surrogateLogLikelihood } from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Restores. */
  readonly restore: typeof stsl;
  /** Restores and edits. */
  readonly edit: typeof stslEdit;
  /** Estimates the trace of the Hessian. */
  readonly trace: typeof hessianTrace;
  /** Bounds the likelihood. */
  readonly logLikelihood: typeof surrogateLogLikelihood;
}

/** The method of the paper. */
export const secondOrder: Method = {
  restore: stsl,
  edit: stslEdit,
  trace: hessianTrace,
  logLikelihood: surrogateLogLikelihood,
};
