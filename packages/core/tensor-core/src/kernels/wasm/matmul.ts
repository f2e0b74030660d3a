import type { FloatArray, MatrixView } from "../arrays.js";
import type { Operations, WasmRuntime } from "./runtime.js";
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
  const depth = Math.min(BLOCK, k);
  const sizes = [rows * depth, depth * columns, rows * columns];
  withViews(runtime, c.data, sizes, (operations, [viewA, viewB, viewC], [pointerA, pointerB, pointerC]) => {
    if (accumulate) copyMatrix(c, rows, columns, viewC!);
    else viewC!.fill(0);
    for (let p = 0; p < k; p += BLOCK) {
      const count = Math.min(BLOCK, k - p);
      const [aRow, aColumn] = copyMatrix(part(a, 0, p), rows, count, viewA!);
      const [bRow, bColumn] = copyMatrix(part(b, p, 0), count, columns, viewB!);
      operations.gemm(rows, columns, count, pointerA!, aRow, aColumn, pointerB!, bRow, bColumn, pointerC!, columns);
    }
    if (c.rowStride === columns) copy(viewC!, 0, c.data, c.offset, rows * columns);
    else for (let i = 0; i < rows; i++) copy(viewC!, i * columns, c.data, c.offset + i * c.rowStride, columns);
  });
}

/** y (+)= A x for A[m, k], with x a column [k, 1] and y a column [m, 1]. */
export function wasmMatvec(
  runtime: WasmRuntime,
  m: number,
  k: number,
  a: MatrixView,
  x: MatrixView,
  y: MatrixView,
  accumulate: boolean,
): void {
  const depth = Math.min(BLOCK, k);
  for (let i = 0; i < m; i += BLOCK) {
    const rows = Math.min(BLOCK, m - i);
    const out = part(y, i, 0);
    const sizes = [rows * depth, depth, rows];
    withViews(runtime, y.data, sizes, (operations, [viewA, viewX, viewY], [pointerA, pointerX, pointerY]) => {
      for (let r = 0; r < rows; r++) viewY![r] = accumulate ? out.data[out.offset + r * out.rowStride]! : 0;
      for (let p = 0; p < k; p += BLOCK) {
        const count = Math.min(BLOCK, k - p);
        const [aRow, aColumn] = copyMatrix(part(a, i, p), rows, count, viewA!);
        copyMatrix(part(x, p, 0), count, 1, viewX!);
        const columnMajor = aRow === 1 && aColumn !== 1 ? 1 : 0;
        operations.gemv(rows, count, pointerA!, columnMajor, pointerX!, pointerY!);
      }
      for (let r = 0; r < rows; r++) out.data[out.offset + r * out.rowStride] = viewY![r]!;
    });
  }
}

/** Lays arrays of the given sizes and of the type of `model` out in memory. */
function withViews(
  runtime: WasmRuntime,
  model: FloatArray,
  sizes: readonly number[],
  use: (operations: Operations, views: FloatArray[], pointers: number[]) => void,
): void {
  const { operations } = runtime.lane(model);
  const width = model.BYTES_PER_ELEMENT;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  runtime.withMemory(total * width, (_kernels, base, buffer) => {
    const views: FloatArray[] = [];
    const pointers: number[] = [];
    let next = base;
    for (const size of sizes) {
      pointers.push(next);
      views.push(width === 4 ? new Float32Array(buffer, next, size) : new Float64Array(buffer, next, size));
      next += size * width;
    }
    use(operations, views, pointers);
  });
}
