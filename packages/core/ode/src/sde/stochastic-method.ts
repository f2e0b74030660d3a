import type { Tensor } from "@offprint/tensor-core";
import type { ErrorNorm } from "../methods/method.js";
import type { NoiseForm } from "./noise-form.js";

/** `du = drift dt + diffusion dW`, over the state as a vector `[n]`. */
export interface StochasticSystem {
  /** Number of entries. */
  readonly size: number;
  /** The drift. */
  readonly drift: (t: Tensor, u: Tensor) => Tensor;
  /** The factors of the noise: `[n]` where each entry has its own. */
  readonly diffusion: (t: Tensor, u: Tensor) => Tensor;
  /** What they make of increments. */
  readonly noise: NoiseForm;
}

/** What a path does in a step: independent normal numbers of variance `h`, as many as the path has side by side. */
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
  /** Strong order, for noise of each entry's own. */
  readonly order: number;
  /** Which noise it is for: of each entry's own, or any. */
  readonly noise: "diagonal" | "any";
  /** Evaluations of the drift in a step. */
  readonly evaluations: number;
  /** Whether it estimates stiffness. */
  readonly estimatesStiffness: boolean;
  /** Length of the interval of stability of the drift's part. */
  readonly stabilitySize: number;
  /** One step of size `h`, positive. */
  step(system: StochasticSystem, t: Tensor, u: Tensor, h: Tensor, noise: Noise): StochasticStep;
}
