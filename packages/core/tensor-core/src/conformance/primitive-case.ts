import { bind, type Primitive, type Tensor } from "../index.js";
import type { InputSpec } from "./sampling.js";

/** One way to call a primitive. */
export interface PrimitiveCase {
  /** What is called. */
  readonly primitive: Primitive;
  /** Its parameters. */
  readonly params: unknown;
  /** How its operands are drawn; those of float types in float64. */
  readonly inputs: readonly InputSpec[];
  /** Turns drawn inputs into valid ones, in differentiable operations. */
  readonly prepare?: (inputs: Tensor[]) => Tensor[];
  /** Inputs to differentiate; all float inputs unless given, none where the primitive has no gradient. */
  readonly differentiate?: readonly number[];
  /** Relative agreement of float32 with float64. Default 2e-6. */
  readonly float32Tolerance?: number;
}

/** The outputs of the primitive for drawn inputs. */
export function call({ primitive, params, prepare }: PrimitiveCase, inputs: readonly Tensor[]): Tensor[] {
  return bind(primitive, prepare ? prepare([...inputs]) : inputs, params);
}

/** The inputs that have a gradient. */
export function differentiable({ primitive, inputs, differentiate }: PrimitiveCase): number[] {
  if (primitive.vjp === undefined) return [];
  if (differentiate !== undefined) return [...differentiate];
  return inputs.flatMap((spec, i) => (spec.dtype === "float64" ? [i] : []));
}
