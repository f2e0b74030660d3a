import type { HostOnly } from "./lowering.js";

/** The primitives that no ONNX graph can hold, each with the reason. */
export const hostOnlyPrimitives = {} satisfies Record<string, HostOnly>;
