// ONNX Runtime for the worker: stands in for "onnxruntime-web", and finds its binary beside the worker.
import type * as ort from "onnxruntime-web";

// The build without GPU is half as large, so the page says when it wants the other one.
const onGpu = new URL(globalThis.location.href).searchParams.get("device") === "webgpu";
const runtime: typeof ort = onGpu ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");

/** Settings of the runtime. */
export const env = runtime.env;
/** Makes sessions. */
export const InferenceSession = runtime.InferenceSession;
/** The runtime's tensors. */
export const Tensor = runtime.Tensor;

const binary = onGpu ? "ort-wasm-simd-threaded.asyncify.wasm" : "ort-wasm-simd-threaded.wasm";
env.wasm.wasmPaths = { wasm: new URL(binary, import.meta.url).href };
// Threads need headers that a static site usually cannot set.
env.wasm.numThreads = 1;
