import type { Matrix } from "./matrix.js";
import type { ConicSolution } from "./programme-session.js";
import type { Multipliers } from "./quadratic-constraint.js";

/** @internal What a programme gives before it is repaired and proved. */
export interface RawSolution {
  readonly multipliers: Multipliers;
  /** For an input ball. */
  readonly rho: number | undefined;
  /** For an input box. */
  readonly mu: Float64Array | undefined;
  readonly delta: Float64Array | undefined;
  /** The bound as the solver has it, on either side of the optimum. */
  readonly objective: number;
  readonly result: ConicSolution;
  /** The dual matrix of the inequality on the input increments, `[inputs, inputs]`. */
  readonly inputDual: Matrix;
}
