import type { Equation } from "@offprint/tensor-core";
import type { LoweringContext } from "./context.js";

/** Emits the ONNX nodes of one primitive. */
export type Lowering = (context: LoweringContext, equation: Equation) => void;

/** A primitive that only the host can run, and why. */
export interface HostOnly {
  readonly hostOnly: string;
}
