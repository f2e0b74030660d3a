import { type MatrixView, rowMajor, transposed } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsMatmul } from "./js/matmul.js";
import { wasmMatmul, wasmMatvec } from "./wasm/matmul.js";

/** Below this many multiplications copying the operands costs more than the vector instructions save. */
const WASM_FROM = 512;

/**
 * C = A B for A[m, k], B[k, n] and C[m, n] of any strides, C with unit column stride; float32 products are accumulated
 * in float32 or better, float64 ones in float64. C must not overlap A or B.
 *
 * @param accumulate adds to C instead of replacing it; default false.
 */
export function matmul(
  m: number,
  n: number,
  k: number,
  a: MatrixView,
  b: MatrixView,
  c: MatrixView,
  accumulate = false,
): void {
  const runtime = wasmRuntime();
  if (!runtime || (m * n * k < WASM_FROM && choosesBySize())) jsMatmul(m, n, k, a, b, c, accumulate);
  else if (n === 1) wasmMatvec(runtime, m, k, a, b, c, accumulate);
  else if (m === 1) wasmMatvec(runtime, n, k, transposed(b), transposed(a), transposed(c), accumulate);
  else wasmMatmul(runtime, m, n, k, a, b, c, accumulate);
}

/** Operands of `matmulBatched`: a matrix, and how far the next one of the batch lies behind it (0: the same for all). */
export interface MatrixBatch extends MatrixView {
  readonly batchStride: number;
}

/**
 * C[i] = A[i] B[i] for every i < batch. Where B is the same for all and the A[i] lie row after row, it is one product.
 *
 * @param c contiguous row-major [batch, m, n] from `c.offset` on.
 */
export function matmulBatched(
  batch: number,
  m: number,
  n: number,
  k: number,
  a: MatrixBatch,
  b: MatrixBatch,
  c: Pick<MatrixView, "data" | "offset">,
): void {
  if (b.batchStride === 0 && (m === 1 || a.batchStride === m * a.rowStride)) {
    const rowStride = m === 1 ? a.batchStride : a.rowStride;
    matmul(batch * m, n, k, { ...a, rowStride }, b, rowMajor(c.data, n, c.offset));
    return;
  }
  for (let i = 0; i < batch; i++) {
    const ai = { ...a, offset: a.offset + i * a.batchStride };
    const bi = { ...b, offset: b.offset + i * b.batchStride };
    matmul(m, n, k, ai, bi, rowMajor(c.data, n, c.offset + i * m * n));
  }
}
