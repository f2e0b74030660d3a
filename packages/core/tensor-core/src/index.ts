import "./methods.js";

export { requireFunction, requireObject, requireSeed, requireText } from "./arguments.js";
export { decodeElements, type ElementType, elementSize, encodeElements } from "./bytes/elements.js";
export { halfToNumber, numberToHalf } from "./bytes/half.js";
export { checkOptions, refuseIdle } from "./check-options.js";
export type { Backend, Executable } from "./compile/backend.js";
export { type FastestOptions, fastest } from "./compile/fastest.js";
export { hostBackend, hostCompilerObstacle } from "./compile/host-backend.js";
export { type CompiledProgram, type JitOptions, type Jitted, jit } from "./compile/jit.js";
export { type JittedAtPoint, jitAtPoint } from "./compile/jit-at-point.js";
export { type JitSyncOptions, type JittedSync, jitSync } from "./compile/jit-sync.js";
export { trace } from "./compile/trace.js";
export { cond } from "./control/cond.js";
export { type ScanOptions, scan } from "./control/scan.js";
export { whileLoop } from "./control/while-loop.js";
export { byteSize, type DType, type TypedArray } from "./dtype.js";
export * from "./errors.js";
export * as fft from "./fft/index.js";
export { requireFinite } from "./finite.js";
export type { TensorFunction, TreeFunction } from "./function-types.js";
export type { Capture, Equation, Variable } from "./graph/builder.js";
export { Graph } from "./graph/graph.js";
export { type KernelMode, kernelMode, ready, setKernels } from "./kernels/index.js";
export * as linalg from "./linalg/index.js";
export type { NdArray, NdArrayLike } from "./ndarray-view.js";
export { nearestWords } from "./nearest-words.js";
export * from "./ops/index.js";
export {
  requireChoice,
  requireDecayRate,
  requireInteger,
  requireNonNegative,
  requirePositive,
} from "./option-checks.js";
export { bind, definePrimitive, type Primitive, type Spec } from "./primitive.js";
export { type PrimitiveName, type PrimitiveParams, primitives } from "./primitives/index.js";
export * as random from "./random/index.js";
export { Rng } from "./random/index.js";
export type { Shape } from "./shape.js";
export * as sparse from "./sparse/index.js";
export * as special from "./special/index.js";
export type { DeviceStorage } from "./storage.js";
export {
  deviceTensor,
  hostTensor,
  isTensor,
  type NestedArray,
  type NestedRows,
  Tensor,
  type TensorLike,
} from "./tensor.js";
export { checkpoint } from "./transforms/checkpoint.js";
export { customVjp } from "./transforms/custom-vjp.js";
export { type GradOptions, grad, valueAndGrad } from "./transforms/grad.js";
export { hessian, jacobian } from "./transforms/jacobian.js";
export { hvp, jvp } from "./transforms/jvp.js";
export { stopGradient } from "./transforms/stop-gradient.js";
export { vjp } from "./transforms/vjp.js";
export { type VmapOptions, vmap } from "./transforms/vmap.js";
export * as tree from "./tree.js";
