import type { Tensor } from "@offprint/tensor-core";
import type { ErrorNorm } from "../methods/method.js";

/** `du = drift dt + diffusion dW` with noise of its own for every entry of the state, as vectors `[n]`. */
export interface StochasticSystem {
  /** Number of entries. */
  readonly size: number;
  /** The drift. */
  readonly drift: (t: Tensor, u: Tensor) => Tensor;
  /** The factor of each entry's noise. */
  readonly diffusion: (t: Tensor, u: Tensor) => Tensor;
}

/** What a path does in a step: independent normal numbers of variance `h`, `[n]` each. */
export interface Noise {
  /** The increment of the path. */
  readonly dW: Tensor;
  /** What its integral over the step has besides: `h (dW + dZ / sqrt 3) / 2` is the integral of the path. */
  readonly dZ: Tensor;
}

/** One stochastic step, made of operations of tensors. */
export interface StochasticStep {
  /** The state at the end, `[n]`. */
  readonly next: Tensor;
  /** The size of the error estimate. */
  readonly error: (norm: ErrorNorm) => Tensor;
  /** An estimate of the largest eigenvalue of the drift's Jacobian; undefined where there is none. */
  readonly stiffness?: Tensor;
}

/** A method for stochastic equations. */
export interface StochasticMethod {
  /** What it is called. */
  readonly name: string;
  /** Which integral it solves for. */
  readonly calculus: "ito" | "stratonovich";
  /** Strong order. */
  readonly order: number;
  /** Evaluations of the drift in a step. */
  readonly evaluations: number;
  /** Whether it estimates stiffness. */
  readonly estimatesStiffness: boolean;
  /** Length of the interval of stability of the drift's part. */
  readonly stabilitySize: number;
  /** One step of size `h`, positive. */
  step(system: StochasticSystem, t: Tensor, u: Tensor, h: Tensor, noise: Noise): StochasticStep;
}
