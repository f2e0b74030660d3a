import { lazyModule } from "./engine.js";
import { wasmBase64 } from "./wasm/fft-bytes.js";
import { FftKernels, type FftRoom, FftRuntime } from "./wasm/fft-kernels.js";
import { decodeModule } from "./wasm/runtime.js";

export type { AxisLayout, FftKernels, FftKind, FftPlan } from "./wasm/fft-kernels.js";

const fftModule = lazyModule(() => decodeModule(wasmBase64));
let runtime: FftRuntime | undefined;

/** The transforms of WebAssembly for arrays of JavaScript; undefined where plain JavaScript is to be used. */
export function fftRuntime(): FftRuntime | undefined {
  const module = fftModule();
  if (module === undefined) return undefined;
  runtime ??= new FftRuntime(module);
  return runtime;
}

/** Those that work in a given memory. */
export function fftKernelsIn(room: FftRoom): FftKernels | undefined {
  const module = fftModule();
  return module === undefined ? undefined : new FftKernels(module, room);
}
