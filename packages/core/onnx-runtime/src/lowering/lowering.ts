import type { Equation, PrimitiveName, PrimitiveParams } from "@offprint/tensor-core";
import type { LoweringContext } from "./context.js";

/** Emits the ONNX nodes of one primitive with parameters `P`. */
export type Lowering<P = never> = (context: LoweringContext, equation: Equation<P>) => void;

/** A lowering for each of some primitives. */
export type Lowerings<N extends PrimitiveName> = { readonly [K in N]: Lowering<PrimitiveParams<K>> };

/** Lowerings with the type that names their primitives only, so that declarations need no type of another package. */
export function lowerings<N extends PrimitiveName>(table: Lowerings<N>): Lowerings<N> {
  return table;
}

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
export function nativeOr<P>(native: Lowering<P>, composition: Lowering<P>): Lowering<P> {
  return (c, equation) => {
    const narrow = equation.inputs[0].dtype !== "float64";
    (narrow && !isForGpu(c) ? native : composition)(c, equation);
  };
}

/** One lowering for the CPU, another for GPUs. */
export function byDevice<P>(cpu: Lowering<P>, gpu: Lowering<P>): Lowering<P> {
  return (c, equation) => (isForGpu(c) ? gpu : cpu)(c, equation);
}
