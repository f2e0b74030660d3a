import type { Tensor } from "@offprint/tensor-core";
import type { Complex } from "../complex.js";
import type { Torus } from "../torus.js";

/** w_t = L w + N(w) for Fourier coefficients: L is a real multiplier, often stiff, N anything traceable. */
export interface StiffSystem {
  /** The grid of the fields. */
  readonly grid: Torus;
  /** L, to broadcast over `[..., ...modes]`; <= 0 where the flow decays. */
  readonly linear: Tensor;
  /** N, from coefficients to coefficients. */
  nonlinear(w: Complex): Complex;
}
