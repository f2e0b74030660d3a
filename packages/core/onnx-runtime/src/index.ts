export type { ModelValue } from "./feeds.js";
export { type LoadedModel, type LoadModelOptions, loadModel } from "./load-model.js";
export { hostOnlyPrimitives } from "./lowering/host-only.js";
export type { HostOnly } from "./lowering/lowering.js";
export { devices, type OnnxRuntime, type OnnxRuntimeOptions, onnxRuntime } from "./runtime.js";
export type { DeviceReport } from "./session/devices.js";
export { toOnnx } from "./to-onnx.js";
