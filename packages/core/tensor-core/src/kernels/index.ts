/*
 * Host kernels: numerical loops over typed arrays. Each chooses between WebAssembly SIMD and plain JavaScript; the
 * results agree to 1e-12 relative in float64 and 1e-5 in float32.
 */
export { type FloatArray, hasNonFinite, type MatrixView, rowMajor, transposed } from "./arrays.js";
export { type BinaryName, binary } from "./binary.js";
export { type CholeskyResult, cholesky, choleskyInPlace, choleskyInverse } from "./cholesky.js";
export { congruence } from "./congruence.js";
export { type ConvGeometry, convForward, convInputGrad, convKernelGrad } from "./convolution.js";
export { type EighResult, eigh, eigvalsh } from "./eigh.js";
export { type KernelMode, kernelMode, ready, setKernels } from "./engine.js";
export { type LuResult, lu } from "./lu.js";
export { type MapName, map } from "./map.js";
export { type MatrixBatch, matmul, matmulBatched } from "./matmul.js";
export { type MaxPoolResult, maxPool, type PoolGeometry } from "./pooling.js";
export { type QrResult, qr } from "./qr.js";
export { dot, maxAxis, minAxis, rowProducts, sum, sumAxis } from "./reduce.js";
export { type CgState, type RelaxationMatrix, relax, sparseCg } from "./relaxation.js";
export { type SvdResult, svd } from "./svd.js";
export { type TriangularOptions, triangularSolve, triangularSolveInPlace } from "./triangular.js";
