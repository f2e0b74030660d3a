export { cholesky, choleskyInverse } from "./cholesky";
export { eigh } from "./eigh";
export {
  add_32,
  add_64,
  divide_32,
  divide_64,
  max_32,
  max_64,
  min_32,
  min_64,
  multiply_32,
  multiply_64,
  subtract_32,
  subtract_64,
  sum_32,
  sum_64,
} from "./elementwise";
export { gemm_32, gemm_64 } from "./gemm";
export { lu } from "./lu";
export {
  cos_32,
  cos_64,
  exp_32,
  exp_64,
  expm1_32,
  expm1_64,
  log_32,
  log_64,
  log1p_32,
  log1p_64,
  mapAny_32,
  mapAny_64,
  sigmoid_32,
  sigmoid_64,
  sin_32,
  sin_64,
  sqrt_32,
  sqrt_64,
  tanh_32,
  tanh_64,
} from "./map";
export { gemv_32, gemv_64 } from "./matvec";
export { heapBase } from "./memory";
export { narrow, normals } from "./normals";
export { qr } from "./qr";
export { relax } from "./relaxation";
export { sparseCg } from "./sparsecg";
export { jacobiRows } from "./svd";
export { triangularSolve } from "./triangular";
