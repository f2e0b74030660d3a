import { UnsupportedError } from "../errors.js";
import { compileAsync, compileSync, WasmRuntime } from "./wasm/runtime.js";

/** `auto` takes WebAssembly wherever it loads and pays, else plain JavaScript. */
export type KernelMode = "auto" | "js" | "wasm";

/** Settled once per page, process or worker: the kernels hold no state of the caller. */
let mode: KernelMode = "auto";
let runtime: WasmRuntime | undefined;
let refused = false;

function load(): WasmRuntime | undefined {
  if (runtime || refused) return runtime;
  try {
    runtime = new WasmRuntime(compileSync());
  } catch {
    // No SIMD, or a page whose policy forbids compiling here: plain JavaScript, until `ready` succeeds.
    refused = true;
  }
  return runtime;
}

/** The WebAssembly kernels, or undefined where plain JavaScript is to be used. */
export function wasmRuntime(): WasmRuntime | undefined {
  return mode === "js" ? undefined : load();
}

const furtherModules: { compile(): Promise<unknown> }[] = [];

/**
 * A further module of kernels, compiled where it is needed first; undefined where plain JavaScript is to be used.
 * @param bytes the binary
 */
export function lazyModule(bytes: () => Uint8Array<ArrayBuffer>): () => WebAssembly.Module | undefined {
  let module: WebAssembly.Module | undefined;
  let failed = false;
  furtherModules.push({
    async compile() {
      module ??= await WebAssembly.compile(bytes());
    },
  });
  return () => {
    if (wasmRuntime() === undefined) return undefined;
    if (module !== undefined || failed) return module;
    try {
      module = new WebAssembly.Module(bytes());
    } catch {
      failed = true;
    }
    return module;
  };
}

/** Whether kernels may choose by size; with `setKernels("wasm")` they always take WebAssembly. */
export function choosesBySize(): boolean {
  return mode !== "wasm";
}

/** Which implementation the kernels use now. */
export function kernelMode(): "js" | "wasm" {
  return wasmRuntime() ? "wasm" : "js";
}

/**
 * Chooses the implementation of the host kernels; the default is `auto`. For tests and comparisons.
 *
 * @throws UnsupportedError where `wasm` is asked for and WebAssembly SIMD does not load.
 */
export function setKernels(next: KernelMode): void {
  if (next === "wasm" && !load()) {
    throw new UnsupportedError(
      'setKernels: WebAssembly SIMD cannot be compiled synchronously here; await ready() first, or use "js"',
    );
  }
  mode = next;
}

/**
 * Loads the WebAssembly kernels without blocking. Needed only where synchronous compilation is forbidden; until it
 * resolves the kernels run in plain JavaScript.
 *
 * @returns whether the WebAssembly kernels are available.
 */
export async function ready(): Promise<boolean> {
  if (load()) return true;
  try {
    for (const each of furtherModules) await each.compile();
    runtime = new WasmRuntime(await compileAsync());
  } catch {
    return false;
  }
  return true;
}
