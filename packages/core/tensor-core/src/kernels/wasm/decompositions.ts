import type { WasmRuntime } from "./runtime.js";

const DOUBLE = 8;

/** Lower Cholesky factor in place; see `jsCholesky`. */
export function wasmCholesky(runtime: WasmRuntime, a: Float64Array, n: number): number {
  return runtime.withMemory(a.length * DOUBLE, (kernels, base, buffer) => {
    const view = new Float64Array(buffer, base, a.length);
    view.set(a);
    const failed = kernels.cholesky(n, base);
    a.set(view);
    return failed;
  });
}

/** The inverse in place of its lower Cholesky factor. */
export function wasmCholeskyInverse(runtime: WasmRuntime, l: Float64Array, n: number): void {
  runtime.withMemory(2 * l.length * DOUBLE, (kernels, base, buffer) => {
    const view = new Float64Array(buffer, base, l.length);
    view.set(l);
    kernels.choleskyInverse(n, base, base + l.length * DOUBLE);
    l.set(view);
  });
}

/** LU factors in place; see `jsLu`. */
export function wasmLu(
  runtime: WasmRuntime,
  a: Float64Array,
  rows: number,
  columns: number,
  order: Int32Array,
): number {
  return runtime.withMemory(a.length * DOUBLE + rows * 4, (kernels, base, buffer) => {
    const view = new Float64Array(buffer, base, a.length);
    const orderPointer = base + a.length * DOUBLE;
    view.set(a);
    const exchanges = kernels.lu(rows, columns, base, orderPointer);
    a.set(view);
    order.set(new Int32Array(buffer, orderPointer, rows));
    return exchanges;
  });
}

/** Solves a triangular system in place; see `jsTriangularSolve`. */
export function wasmTriangularSolve(
  runtime: WasmRuntime,
  a: Float64Array,
  n: number,
  b: Float64Array,
  columns: number,
  lower: boolean,
  transpose: boolean,
  unit: boolean,
): void {
  runtime.withMemory((a.length + b.length) * DOUBLE, (kernels, base, buffer) => {
    const pointerB = base + a.length * DOUBLE;
    const viewB = new Float64Array(buffer, pointerB, b.length);
    new Float64Array(buffer, base, a.length).set(a);
    viewB.set(b);
    const [aRow, aColumn] = transpose ? [1, n] : [n, 1];
    kernels.triangularSolve(n, columns, base, aRow, aColumn, pointerB, lower !== transpose ? 1 : 0, unit ? 1 : 0);
    b.set(viewB);
  });
}

/** Householder QR: `a` is overwritten by R above its reflectors, `q` receives Q; see `jsQr`. */
export function wasmQr(runtime: WasmRuntime, a: Float64Array, rows: number, columns: number, q: Float64Array): void {
  const work = rows + columns + Math.min(rows, columns);
  runtime.withMemory((a.length + q.length + work) * DOUBLE, (kernels, base, buffer) => {
    const view = new Float64Array(buffer, base, a.length);
    const pointerQ = base + a.length * DOUBLE;
    view.set(a);
    kernels.qr(rows, columns, base, pointerQ, pointerQ + q.length * DOUBLE);
    a.set(view);
    q.set(new Float64Array(buffer, pointerQ, q.length));
  });
}

/** Eigenvalues into `values`, eigenvectors into the rows of `vectors`; see `jsEigh`. */
export function wasmEigh(
  runtime: WasmRuntime,
  a: Float64Array,
  n: number,
  values: Float64Array,
  vectors: Float64Array | undefined,
): boolean {
  const size = n * n;
  return runtime.withMemory((2 * size + 6 * n) * DOUBLE, (kernels, base, buffer) => {
    const d = base + size * DOUBLE;
    const work = d + n * DOUBLE;
    const z = work + 5 * n * DOUBLE;
    new Float64Array(buffer, base, size).set(a);
    const failed = kernels.eigh(n, base, d, vectors ? z : 0, work);
    values.set(new Float64Array(buffer, d, n));
    vectors?.set(new Float64Array(buffer, z, size));
    return failed === 0;
  });
}

/** One-sided Jacobi on the rows of `r`; see `jsJacobiRows`. */
export function wasmJacobiRows(
  runtime: WasmRuntime,
  n: number,
  columns: number,
  r: Float64Array,
  j: Float64Array | undefined,
): boolean {
  return runtime.withMemory((n * columns + n * n + n) * DOUBLE, (kernels, base, buffer) => {
    const viewR = new Float64Array(buffer, base, n * columns);
    const norms = base + n * columns * DOUBLE;
    const pointerJ = norms + n * DOUBLE;
    const viewJ = new Float64Array(buffer, pointerJ, n * n);
    viewR.set(r);
    if (j) viewJ.set(j);
    const failed = kernels.jacobiRows(n, columns, base, j ? pointerJ : 0, norms);
    r.set(viewR);
    j?.set(viewJ);
    return failed === 0;
  });
}
