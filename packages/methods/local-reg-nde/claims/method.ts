import { fitLocally, localRegularizer, localTerm } from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Trains with the local regulariser. */
  readonly fitLocally: typeof fitLocally;
  /** The regulariser at drawn times. */
  readonly localRegularizer: typeof localRegularizer;
  /** The term at one time. */
  readonly localTerm: typeof localTerm;
}

/** The method of the paper. */
export const localRegNde: Method = { fitLocally, localRegularizer, localTerm };
