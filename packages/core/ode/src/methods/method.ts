import type { Tensor } from "@offprint/tensor-core";
import type { System } from "../system.js";

/** The size of a vector of errors, `[n]`, relative to the tolerances: 1 is as large as may be. */
export type ErrorNorm = (error: Tensor) => Tensor;

/** One step, made of operations of tensors. */
export interface Step {
  /** The state at the end, `[n]`. */
  readonly next: Tensor;
  /** The rate there, `[n]`: the first of the next step. */
  readonly last: Tensor;
  /** The size of the error estimate; undefined where the method has none. */
  readonly error?: (norm: ErrorNorm) => Tensor;
  /** An estimate of the largest eigenvalue of the Jacobian, 0 where it cannot be told; undefined where there is none. */
  readonly stiffness?: Tensor;
  /** Vectors of which the state between the ends is a combination. */
  readonly basis: () => readonly Tensor[];
}

/** A one-step method: the one thing to write for a new one. */
export interface Method {
  /** What it is called. */
  readonly name: string;
  /** Order of the solution. */
  readonly order: number;
  /** By what power the step size follows the error: order of the estimate plus one. */
  readonly errorOrder: number;
  /** Whether it estimates its error, and so can choose its steps. */
  readonly adaptive: boolean;
  /** Whether it estimates stiffness. */
  readonly estimatesStiffness: boolean;
  /** Length of the interval of stability on the negative axis; infinite where it is all of it. */
  readonly stabilitySize: number;
  /** Whether a step asks for the slopes of the rate (default false). */
  readonly linearises?: boolean;
  /** Evaluations of the rate in a step, besides the first, which is that at the end of the step before. */
  readonly evaluations: number;
  /** Vectors in the basis of the dense output. */
  readonly basisSize: number;
  /** One step of size `h`, negative backwards, from `y` at `t`, where the rate is `first`. */
  step(system: System, t: Tensor, y: Tensor, h: Tensor, first: Tensor): Step;
  /** Weights of the basis at the part `theta`, `[]`, of a step of size `h`: `[basisSize]`. */
  denseWeights(theta: Tensor, h: Tensor): Tensor;
}
