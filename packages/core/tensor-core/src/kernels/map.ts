import type { FloatArray } from "./arrays.js";
import { wasmRuntime } from "./engine.js";
import { jsMap } from "./js/elementwise.js";
import { wasmMap } from "./wasm/elementwise.js";

/** The functions that `map` knows: those whose vector version pays. */
export type MapName = "exp" | "expm1" | "log" | "log1p" | "tanh" | "sigmoid" | "sin" | "cos" | "sqrt";

/**
 * out[i] = f(x[i]) for contiguous arrays of the same type and length; `out` may be `x`. Errors stay below 1.3 units in
 * the last place for exp and log (0.5 for sqrt) and below 4 for the others, except for sin and cos next to a zero far
 * from the origin (float32). The result for an element does not depend on its neighbours by more than that.
 */
export function map(name: MapName, x: FloatArray, out: FloatArray): void {
  const runtime = wasmRuntime();
  if (runtime) wasmMap(runtime, name, x, out);
  else jsMap(name, x, out);
}
