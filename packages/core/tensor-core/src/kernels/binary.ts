import type { FloatArray } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsBinary } from "./js/elementwise.js";
import { wasmBinary } from "./wasm/elementwise.js";

/** The operations of `binary`. */
export type BinaryName = "add" | "subtract" | "multiply" | "divide";

/** Fewer elements are done before a call into WebAssembly is set up. */
const WASM_FROM = 64;

/**
 * out[i] = a[i] op b[i] for contiguous arrays of the same type and length, either of which may be one number; `out` may
 * be `a` or `b`. The result is the same to the last bit whichever way it is computed.
 */
export function binary(name: BinaryName, a: FloatArray | number, b: FloatArray | number, out: FloatArray): void {
  const runtime = wasmRuntime();
  if (runtime && (out.length >= WASM_FROM || !choosesBySize())) wasmBinary(runtime, name, a, b, out);
  else jsBinary(name, a, b, out);
}
