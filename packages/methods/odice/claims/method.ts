import { fitOdice, solveTabularDice, valueGradients } from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Learns policies. */
  readonly fit: typeof fitOdice;
  /** The gradients of the value. */
  readonly gradients: typeof valueGradients;
  /** The exact optimum of tables. */
  readonly tabular: typeof solveTabularDice;
}

/** The method of the paper. */
export const odice: Method = { fit: fitOdice, gradients: valueGradients, tabular: solveTabularDice };
