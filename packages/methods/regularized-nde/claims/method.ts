import { errorRegularizer, fitOde, fitSde, stiffnessRegularizer } from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Trains models with an ordinary differential equation in them. */
  readonly fitOde: typeof fitOde;
  /** Trains models with a stochastic one. */
  readonly fitSde: typeof fitSde;
  /** `R_E`. */
  readonly errorRegularizer: typeof errorRegularizer;
  /** `R_S`. */
  readonly stiffnessRegularizer: typeof stiffnessRegularizer;
}

/** The method of the paper. */
export const regularizedNde: Method = { fitOde, fitSde, errorRegularizer, stiffnessRegularizer };
