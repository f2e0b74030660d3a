import { type IntegrateOptions, integrate, type TensorRate } from "@offprint/ode";
import type { Tensor, TensorLike } from "@offprint/tensor-core";
import {
  drawAlong,
  drawnRegularizer,
  fitLocally,
  fitSdeLocally,
  type LocalOptions,
  localRegularizer,
  localTerm,
  type Sampling,
} from "../src/index.js";

/** How {@link Method.solveWithLocalTerm} solves and draws. */
export interface LocalSolving<P>
  extends Pick<LocalOptions<P>, "tolerance">,
    Pick<IntegrateOptions<P>, "adjoint" | "maxSteps" | "relativeTolerance" | "absoluteTolerance"> {
  readonly parameters: P;
  readonly mode: Sampling;
}

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Trains with the local regulariser. */
  readonly fitLocally: typeof fitLocally;
  /** The same for stochastic equations. */
  readonly fitSdeLocally: typeof fitSdeLocally;
  /** The regulariser at drawn times. */
  readonly localRegularizer: typeof localRegularizer;
  /** The term at one time. */
  readonly localTerm: typeof localTerm;
  /** The last state of a solve, and the regulariser at a time that is drawn while it runs. */
  readonly solveWithLocalTerm: <Y, P>(
    f: TensorRate<Y, P>,
    y0: Y,
    span: readonly [TensorLike, TensorLike],
    uniform: Tensor,
    options: LocalSolving<P>,
  ) => { readonly y: Y; readonly r: Tensor };
}

/** The method of the paper. */
export const localRegNde: Method = {
  fitLocally,
  fitSdeLocally,
  localRegularizer,
  localTerm,
  solveWithLocalTerm(f, y0, span, uniform, { mode, tolerance, ...solving }) {
    const { y, folded } = integrate(f, y0, span, { ...solving, fold: drawAlong(y0, span, uniform, mode) });
    const { parameters } = solving;
    return { y, r: drawnRegularizer(f, folded, span, { parameters, ...(tolerance && { tolerance }) }) };
  },
};
