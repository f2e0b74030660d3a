import { elementTypeCode } from "@offprint/onnx-format";
import type { ElementType } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import type { LoweringContext } from "./context.js";

/** A value as one of another element type, where it is none yet. */
export function toType(c: LoweringContext, x: Value, type: ElementType): Value {
  return x.type === type ? x : c.emit("Cast", [x], { shape: x.shape, type }, { to: elementTypeCode(type) });
}
