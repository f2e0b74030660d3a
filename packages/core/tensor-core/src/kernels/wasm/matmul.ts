import type { FloatArray, MatrixView } from "../arrays.js";
import type { WasmRuntime } from "./runtime.js";
import { copy, copyMatrix } from "./transfer.js";

/** Larger products are done in blocks of this many rows, columns and depth, so that memory stays bounded. */
const BLOCK = 1024;

function part(view: MatrixView, row: number, column: number): MatrixView {
  return { ...view, offset: view.offset + row * view.rowStride + column * view.columnStride };
}

/** C (+)= A B; see `matmul` in ../matmul.ts. */
export function wasmMatmul(
  runtime: WasmRuntime,
  m: number,
  n: number,
  k: number,
  a: MatrixView,
  b: MatrixView,
  c: MatrixView,
  accumulate: boolean,
): void {
  for (let i = 0; i < m; i += BLOCK) {
    const rows = Math.min(BLOCK, m - i);
    for (let j = 0; j < n; j += BLOCK) {
      const columns = Math.min(BLOCK, n - j);
      multiplyBlock(runtime, rows, columns, k, part(a, i, 0), part(b, 0, j), part(c, i, j), accumulate);
    }
  }
}

function multiplyBlock(
  runtime: WasmRuntime,
  rows: number,
  columns: number,
  k: number,
  a: MatrixView,
  b: MatrixView,
  c: MatrixView,
  accumulate: boolean,
): void {
  const narrow = c.data instanceof Float32Array;
  const depth = Math.min(BLOCK, k);
  const sizes = [rows * depth, depth * columns, rows * columns] as const;
  const width = narrow ? 4 : 8;
  runtime.withMemory((sizes[0] + sizes[1] + sizes[2]) * width, (kernels, base, buffer) => {
    const view = (pointer: number, size: number): FloatArray =>
      narrow ? new Float32Array(buffer, pointer, size) : new Float64Array(buffer, pointer, size);
    const gemm = narrow ? kernels.gemm_32 : kernels.gemm_64;
    const pointerA = base;
    const pointerB = pointerA + sizes[0] * width;
    const pointerC = pointerB + sizes[1] * width;
    const viewA = view(pointerA, sizes[0]);
    const viewB = view(pointerB, sizes[1]);
    const viewC = view(pointerC, sizes[2]);
    if (accumulate) copyMatrix(c, rows, columns, viewC);
    else viewC.fill(0);
    for (let p = 0; p < k; p += BLOCK) {
      const count = Math.min(BLOCK, k - p);
      const [aRow, aColumn] = copyMatrix(part(a, 0, p), rows, count, viewA);
      const [bRow, bColumn] = copyMatrix(part(b, p, 0), count, columns, viewB);
      gemm(rows, columns, count, pointerA, aRow, aColumn, pointerB, bRow, bColumn, pointerC, columns);
    }
    if (c.rowStride === columns) copy(viewC, 0, c.data, c.offset, rows * columns);
    else for (let i = 0; i < rows; i++) copy(viewC, i * columns, c.data, c.offset + i * c.rowStride, columns);
  });
}
