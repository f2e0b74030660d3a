import type { WasmRuntime } from "./runtime.js";

const DOUBLE = 8;

/** See `congruence`: both products in the memory of the kernels. */
export function wasmCongruence(
  runtime: WasmRuntime,
  left: Float64Array,
  start: number,
  transposed: boolean,
  v: Float64Array,
  n: number,
  out: Float64Array,
): void {
  const { operations } = runtime.lane(out);
  const size = n * n;
  runtime.withMemory(4 * size * DOUBLE, (_kernels, base, buffer) => {
    const memory = new Float64Array(buffer, base, 4 * size);
    const [l, x, half, result] = [0, size, 2 * size, 3 * size].map((at) => base + at * DOUBLE);
    memory.set(start === 0 && left.length === size ? left : left.subarray(start, start + size));
    memory.set(v, size);
    memory.fill(0, 2 * size);
    const [row, column] = transposed ? [1, n] : [n, 1];
    operations.gemm(n, n, n, x!, n, 1, l!, column, row, half!, n);
    operations.gemm(n, n, n, l!, row, column, half!, n, 1, result!, n);
    out.set(memory.subarray(3 * size));
  });
}
