import type { Equation } from "@offprint/tensor-core";
import type { LoweringContext } from "./context.js";

/** Emits the ONNX nodes of one primitive. */
export type Lowering = (context: LoweringContext, equation: Equation) => void;

/** A primitive that only the host can run, and why. */
export interface HostOnly {
  /** The reason, which follows "cannot be compiled: " in messages. */
  readonly hostOnly: string;
}

/** Whether the graph is for a device whose functions are less exact, and fewer, than the CPU's. */
export function isForGpu(context: LoweringContext): boolean {
  return context.target.device !== "cpu";
}

/** The operator of ONNX Runtime's CPU in float32; a composition in float64 and on GPUs. */
export function nativeOr(native: Lowering, composition: Lowering): Lowering {
  return (c, equation) => {
    const narrow = equation.inputs[0].dtype !== "float64";
    (narrow && !isForGpu(c) ? native : composition)(c, equation);
  };
}

/** One lowering for the CPU, another for GPUs. */
export function byDevice(cpu: Lowering, gpu: Lowering): Lowering {
  return (c, equation) => (isForGpu(c) ? gpu : cpu)(c, equation);
}
