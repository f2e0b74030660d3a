import { UnsupportedError } from "@offprint/tensor-core";
import type { ConvolutionEngine } from "./convolution-job.js";
import { jsEngine } from "./js-engine.js";
import { wasmEngine } from "./wasm-engine.js";

/** `auto` takes WebAssembly wherever it loads, else plain JavaScript. */
export type KernelChoice = (typeof kernelChoices)[number];

/** The values of {@link KernelChoice}. */
export const kernelChoices = ["auto", "js", "wasm"] as const;

let loaded: ConvolutionEngine | null | undefined;

function load(): ConvolutionEngine | null {
  if (loaded === undefined) {
    try {
      loaded = wasmEngine();
    } catch {
      // No SIMD, or a page whose policy forbids compiling here.
      loaded = null;
    }
  }
  return loaded;
}

/**
 * What carries out binary convolutions.
 * @throws UnsupportedError where `wasm` is asked for and does not load.
 */
export function convolutionEngine(choice: KernelChoice = "auto"): ConvolutionEngine {
  if (choice === "js") return jsEngine;
  const engine = load();
  if (engine === null && choice === "wasm") {
    throw new UnsupportedError('kernels: WebAssembly SIMD does not load here; use "js", or "auto"');
  }
  return engine ?? jsEngine;
}
